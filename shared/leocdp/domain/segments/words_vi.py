"""Conditions in Vietnamese. A phrase is a predicate after “Những người”: “đã thực hiện …”, “có … là …”."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar, Final

from leocdp.domain.segments.nodes import (
    Aggregate,
    Bucket,
    Consent,
    EventCount,
    EventQuery,
    Fact,
    FirstTime,
    HasIdentifier,
    InList,
    InSegment,
    Label,
    NumberTest,
    Pick,
    Reachable,
    Regularity,
    Score,
    Sequence_,
    Span,
    Stage,
    Status,
    Step,
    Trait,
    ValueTest,
)
from leocdp.domain.segments.phrases import Phrases, clock, quoted, quoted_path

_COUNTS: Final = {
    "eq": "đúng {}",
    "ne": "khác {}",
    "gt": "nhiều hơn {}",
    "gte": "ít nhất {}",
    "lt": "ít hơn {}",
    "lte": "nhiều nhất {}",
}
_NUMBERS: Final = {
    "eq": "là {}",
    "ne": "khác {}",
    "gt": "lớn hơn {}",
    "gte": "từ {} trở lên",
    "lt": "nhỏ hơn {}",
    "lte": "từ {} trở xuống",
}
_OF_TEXT: Final = {
    "contains": "chứa {}",
    "not_contains": "không chứa {}",
    "starts_with": "bắt đầu bằng {}",
    "ends_with": "kết thúc bằng {}",
    "matches": "khớp với mẫu {}",
    "before": "trước {}",
    "after": "sau {}",
    "on_day": "vào đúng {}",
    "within_last": "trong {} qua",
    "within_next": "trong {} tới",
    "older_than": "cách đây ít nhất {}",
}
_OF_LISTS: Final = {
    "in": ("là một trong {}", "hay"),
    "not_in": ("không phải là {}", "hay"),
    "contains_any": ("chứa ít nhất một trong {}", "hay"),
    "contains_all": ("chứa tất cả {}", "và"),
    "contains_none": ("không chứa giá trị nào trong {}", "và"),
}
_FUNCTIONS: Final = {
    "sum": "tổng {}",
    "avg": "trung bình {}",
    "min": "{} nhỏ nhất",
    "max": "{} lớn nhất",
    "distinct": "số giá trị khác nhau của {}",
    "most_frequent": "{} thường gặp nhất",
}
_UNITS: Final = {"d": "ngày", "h": "giờ", "m": "phút"}
_PERIODS: Final = {"days": "ngày", "weeks": "tuần"}
_FACTS: Final = {
    ("place", "country"): "quốc gia (lần gần nhất)",
    ("place", "region"): "khu vực (lần gần nhất)",
    ("place", "city"): "thành phố (lần gần nhất)",
    ("device", "type"): "loại thiết bị (lần gần nhất)",
    ("device", "os"): "hệ điều hành (lần gần nhất)",
    ("device", "browser"): "trình duyệt (lần gần nhất)",
}
_TOUCH: Final = {
    "source": "nguồn",
    "medium": "phương tiện",
    "campaign": "chiến dịch",
    "referrer_host": "trang giới thiệu",
}
_SCORES: Final = {
    "lead": "điểm khách tiềm năng",
    "prospect": "điểm khách triển vọng",
    "engagement": "điểm gắn kết",
    "loyalty": "điểm trung thành",
    "data_quality": "điểm chất lượng dữ liệu",
}
_IDENTIFIERS: Final = {
    "email": "địa chỉ email",
    "phone": "số điện thoại",
    "user_id": "mã người dùng",
    "push_token": "mã nhận thông báo đẩy",
}
_CHANNELS: Final = {"email": "email", "phone": "điện thoại", "push": "thông báo đẩy"}
_EVENTS_OF_TYPE: Final = {
    "track": ("thực hiện sự kiện bất kỳ", "lần thực hiện sự kiện"),
    "page": ("xem trang bất kỳ", "lần xem trang"),
    "screen": ("xem màn hình bất kỳ", "lần xem màn hình"),
    "identify": ("được định danh", "lần định danh"),
    "group": ("được xếp vào một nhóm", "lần được xếp vào nhóm"),
    "alias": ("được đổi mã", "lần đổi mã"),
}
_SHOWN: Final = {"page": "trang", "screen": "màn hình"}


class Vietnamese(Phrases):
    everyone: ClassVar[str] = "Tất cả mọi người"
    nobody: ClassVar[str] = "Không có ai"
    and_: ClassVar[str] = "và"
    or_: ClassVar[str] = "hoặc"

    def people(self, phrase: str) -> str:
        return f"Những người {phrase}"

    def without(self, phrase: str) -> str:
        return f"không thuộc số những người {phrase}"

    def more(self, count: int) -> str:
        return f"{self.number(count)} giá trị khác"

    def units(self, count: int, unit: str) -> str:
        return f"{self.number(count)} {_UNITS[unit]}"

    def day(self, day: date) -> str:
        return f"ngày {day.day:02}/{day.month:02}/{day.year}"

    def instant(self, at: datetime) -> str:
        return f"{clock(at)} UTC {self.day(at)}"

    def boolean(self, value: bool) -> str:
        return "đúng" if value else "sai"

    def number(self, number: float) -> str:
        return f"{number:,}".translate({ord(","): ".", ord("."): ","})

    # So sánh: “từ 100 trở lên”

    def test(self, test: ValueTest) -> str:
        notes = [
            *(["không phân biệt hoa thường"] if test.ignore_case else []),
            *(["tính như số"] if test.as_number else []),
        ]
        return f"{self._test(test)} ({', '.join(notes)})" if notes else self._test(test)

    def _test(self, test: ValueTest) -> str:
        op = test.op
        if op in ("exists", "missing"):
            return "có giá trị" if op == "exists" else "không có giá trị"
        if test.size is not None:
            return f"có {self.compared(test.size)} phần tử"
        if op == "between":
            low, high = (self.value(end) for end in test.values)
            return f"từ {low} đến {high}"
        if op in ("in", "not_in") and len(test.values) == 1:
            return f"{'khác' if op == 'not_in' else 'là'} {self.value(test.values[0])}"
        if op in _OF_LISTS:
            form, word = _OF_LISTS[op]
            return form.format(self.listed(test.values, word))
        if op == "anniversary":
            return "có ngày kỷ niệm hôm nay" + (f" hoặc trong {self.duration(test.window)} tới" if test.window else "")
        return _OF_TEXT.get(op, _NUMBERS.get(op, "")).format(self._literal(test))

    def _literal(self, test: ValueTest) -> str:
        if test.moment is not None:
            return self.moment(test.moment)
        if test.window:
            return self.duration(test.window)
        return "" if test.value is None else self.value(test.value)

    def compared(self, test: NumberTest) -> str:
        if test.op == "between":
            return f"từ {self.number(test.low)} đến {self.number(test.high)}"
        return _COUNTS[test.op].format(self.number(test.low))

    def trait(self, node: Trait) -> str:
        name = quoted_path(node.path)
        if node.test.op in ("exists", "missing"):
            return f"{'đã' if node.test.op == 'exists' else 'chưa'} có thông tin {name}"
        return f"có {name} {self.test(node.test)}"

    # Sự kiện

    def where(self, query: EventQuery) -> str:
        tests = [f"{quoted_path(one.path)} {self.test(one.test)}" for one in query.where]
        return f" (với {self.joined(tests, 'và')})" if tests else ""

    def did(self, query: EventQuery) -> str:
        """Without the word for the past."""
        if query.name is None:
            return _EVENTS_OF_TYPE[query.type or "track"][0] + self.where(query)
        shown = _SHOWN.get(query.type or "")
        verb = f"xem {shown}" if shown else "thực hiện"
        return f"{verb} {quoted(query.name)}{self.where(query)}"

    def event(self, query: EventQuery) -> str:
        """As a noun."""
        if query.name is None:
            return _EVENTS_OF_TYPE[query.type or "track"][1] + self.where(query)
        shown = _SHOWN.get(query.type or "")
        return f"{f'lần xem {shown}' if shown else 'lần'} {quoted(query.name)}{self.where(query)}"

    def span(self, span: Span) -> str:
        if span.within is not None:
            return f" trong {self.duration(span.within)} qua"
        if span.between is None:
            return ""
        first, second = (self.moment(end) for end in span.between)
        if not isinstance(span.between[0], date):
            return f" từ {first} đến trước {second}"
        return f" vào {first}" if first == second else f" từ {first} đến hết {second}"

    def count(self, node: EventCount) -> str:
        test, span = node.count, self.span(node.span)
        if (test.op, test.low) in (("gte", 1), ("gt", 0)):
            return f"đã {self.did(node.query)}{span}"
        if (test.op, test.low) in (("eq", 0), ("lt", 1), ("lte", 0)):
            return f"{'không' if span else 'chưa từng'} {self.did(node.query)}{span}"
        return f"đã {self.did(node.query)} {self.compared(test)} lần{span}"

    def first_time(self, node: FirstTime) -> str:
        return f"lần đầu tiên {self.did(node.query)}{self.span(node.span)}"

    def pick(self, node: Pick) -> str:
        which = "đầu tiên" if node.which == "first" else "gần nhất"
        picked = f"{self.event(node.query)} {which}{self.span(node.span)}"
        return f"có {quoted_path(node.path)} của {picked} {self.test(node.test)}"

    def aggregate(self, node: Aggregate) -> str:
        result = _FUNCTIONS[node.fn].format(quoted_path(node.path) + (" (tính như số)" if node.as_number else ""))
        return f"có {result} của các {self.event(node.query)}{self.span(node.span)} {self.test(node.test)}"

    def sequence(self, node: Sequence_) -> str:
        first, *others = node.steps
        steps = [f"đã {self.did(first.query)}", *(self._step(step) for step in others)]
        same = f", với cùng {quoted_path(node.same)}" if node.same is not None else ""
        since = f", bắt đầu trong {self.duration(node.since)} qua" if node.since is not None else ""
        return f"{', rồi '.join(steps)} trong vòng {self.duration(node.within)}{same}{since}"

    def _step(self, step: Step) -> str:
        return f"không {self.did(step.query)}" if step.negated else self.did(step.query)

    def regularity(self, node: Regularity) -> str:
        unit = _PERIODS[node.unit]
        return f"đã {self.did(node.query)} trong ít nhất {node.at_least} trên {node.of_last} {unit} gần nhất"

    # Trạng thái

    def segment(self, node: InSegment) -> str:
        return f"{'không ' if node.negated else ''}thuộc phân khúc {self.name_of(node.segment)}"

    def list(self, node: InList) -> str:
        return f"{'không ' if node.negated else ''}có trong danh sách {self.name_of(node.list)}"

    def bucket(self, node: Bucket) -> str:
        part = f"từ {self.number(node.low)}% đến {self.number(node.high)}%"
        return f"thuộc phần {part} của phép chia ngẫu nhiên {quoted(node.salt)}"

    def score(self, node: Score) -> str:
        name = _SCORES.get(node.name, f"điểm {quoted(node.name)}")
        if node.test.op == "between":
            return f"có {name} {self.compared(node.test)}"
        return f"có {name} {_NUMBERS[node.test.op].format(self.number(node.test.low))}"

    def consent(self, node: Consent) -> str:
        purpose = quoted(node.purpose)
        if node.state == "unknown":
            return f"chưa đồng ý cũng chưa từ chối cho mục đích {purpose}"
        return f"đã {'đồng ý' if node.state == 'granted' else 'từ chối'} cho mục đích {purpose}"

    def identifier(self, node: HasIdentifier) -> str:
        kind = _IDENTIFIERS.get(node.kind, f"mã định danh loại {quoted(node.kind)}")
        return f"{'chưa' if node.negated else 'đã'} có {kind}"

    def status(self, node: Status) -> str:
        return "đã được định danh" if node.state == "identified" else "còn ẩn danh"

    def reachable(self, node: Reachable) -> str:
        return f"có thể liên hệ qua {_CHANNELS[node.channel]}"

    def fact(self, node: Fact) -> str:
        shown = _FACTS.get((node.register, node.field))
        if shown is None:
            which = "đầu tiên" if node.register == "touch_first" else "gần nhất"
            shown = f"{_TOUCH[node.field]} của lần tiếp xúc {which}"
        return f"có {shown} {self.test(node.test)}"

    def stage(self, node: Stage) -> str:
        stages = [self.name_of(stage) for stage in node.stages]
        shown = stages[0] if len(stages) == 1 else self.joined(stages, "hoặc")
        return f"{'không ' if node.negated else ''}ở giai đoạn {shown} của phễu"

    def label(self, node: Label) -> str:
        return f"{'không ' if node.negated else ''}có nhãn {quoted(node.label)}"
