"""Conditions in plain words: each family in both languages, groups, and that nothing is said that is not asked."""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import given

from leocdp.domain.segments.evaluate import evaluate
from leocdp.domain.segments.nodes import All, Any_, Everyone, Node, Not
from leocdp.domain.segments.parse import parse_condition
from leocdp.domain.segments.simplify import NOBODY, simplified
from leocdp.domain.segments.words import describe
from tests.fakes.segment_strategies import Case, st_cases, st_conditions
from tests.unit.segments.condition_samples import ORDER, VALID

NAMES: Final = {"sgm_1": "Big spenders", "lst_1": "Fair 2026", "lead": "Lead"}

SAID: Final[dict[str, tuple[str, str]]] = {
    "everyone": ("Everyone", "Tất cả mọi người"),
    "trait text": ("People whose “plan” is “pro”", "Những người có “plan” là “pro”"),
    "trait boolean": ("People whose “vip” is false", "Những người có “vip” là sai"),
    "trait in": (
        "People whose “country” is one of “VN”, 84 or true",
        "Những người có “country” là một trong “VN”, 84 hay đúng",
    ),
    "trait not in, any case": (
        "People whose “country” is none of “vn” or “th” (ignoring case)",
        "Những người có “country” không phải là “vn” hay “th” (không phân biệt hoa thường)",
    ),
    "trait order": (
        "People whose “address.floor” is at most -1.5",
        "Những người có “address.floor” từ -1,5 trở xuống",
    ),
    "trait between": ("People whose “age” is between 18 and 30", "Những người có “age” từ 18 đến 30"),
    "trait as number": (
        "People whose “age” is more than 18 (as a number)",
        "Những người có “age” lớn hơn 18 (tính như số)",
    ),
    "trait exists": ("People whose “plan” is known", "Những người đã có thông tin “plan”"),
    "trait missing": ("People whose “plan” is not known", "Những người chưa có thông tin “plan”"),
    "trait matches": (
        "People whose “plan” matches the pattern “^pro-\\d+$”",
        "Những người có “plan” khớp với mẫu “^pro-\\d+$”",
    ),
    "trait list": ("People whose “tags” contains all of “a” and “b”", "Những người có “tags” chứa tất cả “a” và “b”"),
    "trait size": ("People whose “tags” has at least 2 entries", "Những người có “tags” có ít nhất 2 phần tử"),
    "date before": ("People whose “born” is before 29 February 2000", "Những người có “born” trước ngày 29/02/2000"),
    "date after": (
        "People whose “born” is after 31 January 2026, 09:30:00 UTC",
        "Những người có “born” sau 09:30:00 UTC ngày 31/01/2026",
    ),
    "date on day": ("People whose “born” is on 31 January 2026", "Những người có “born” vào đúng ngày 31/01/2026"),
    "date within last": (
        "People whose “created_at” is in the last 7 days",
        "Những người có “created_at” trong 7 ngày qua",
    ),
    "date within next": (
        "People whose “renewal” is in the next 36 hours",
        "Những người có “renewal” trong 36 giờ tới",
    ),
    "date older": (
        "People whose “created_at” is at least 90 minutes ago",
        "Những người có “created_at” cách đây ít nhất 90 phút",
    ),
    "anniversary": (
        "People whose “birthday” has its anniversary today",
        "Những người có “birthday” có ngày kỷ niệm hôm nay",
    ),
    "anniversary ahead": (
        "People whose “birthday” has its anniversary today or in the next 7 days",
        "Những người có “birthday” có ngày kỷ niệm hôm nay hoặc trong 7 ngày tới",
    ),
    "count": (
        "People who did “Order Completed” (where “total” is at least 100, “items.category” is “shoes” "
        "(ignoring case) and “delivered_at” is in the last 2 days) at least 3 times in the last 30 days",
        "Những người đã thực hiện “Order Completed” (với “total” từ 100 trở lên, “items.category” là “shoes” "
        "(không phân biệt hoa thường) và “delivered_at” trong 2 ngày qua) ít nhất 3 lần trong 30 ngày qua",
    ),
    "absence": (
        "People who did not do “Order Completed” in the last 90 days",
        "Những người không thực hiện “Order Completed” trong 90 ngày qua",
    ),
    "count between": (
        "People who did “Order Completed” 2 to 5 times",
        "Những người đã thực hiện “Order Completed” từ 2 đến 5 lần",
    ),
    "between days": (
        "People who did “Order Completed” fewer than 2 times from 1 January 2026 to 30 June 2026",
        "Những người đã thực hiện “Order Completed” ít hơn 2 lần từ ngày 01/01/2026 đến hết ngày 30/06/2026",
    ),
    "between times": (
        "People who did “Order Completed” from 1 January 2026, 00:00 UTC until before 1 January 2026, 12:00 UTC",
        "Những người đã thực hiện “Order Completed” từ 00:00 UTC ngày 01/01/2026 đến trước 12:00 UTC ngày 01/01/2026",
    ),
    "page": ("People who viewed the page “Pricing”", "Những người đã xem trang “Pricing”"),
    "all of a type": ("People who were identified in the last day", "Những người đã được định danh trong 1 ngày qua"),
    "first": (
        "People who did “Signed Up” for the first time ever in the last 14 days",
        "Những người lần đầu tiên thực hiện “Signed Up” trong 14 ngày qua",
    ),
    "first of last": (
        "People for whom the “total” of the last “Order Completed” in the last 30 days is at least 100",
        "Những người có “total” của lần “Order Completed” gần nhất trong 30 ngày qua từ 100 trở lên",
    ),
    "sum": (
        "People for whom the sum of “total” over all “Order Completed” from 1 January 2026 to 30 June 2026 "
        "is more than 500",
        "Những người có tổng “total” của các lần “Order Completed” từ ngày 01/01/2026 đến hết ngày 30/06/2026 "
        "lớn hơn 500",
    ),
    "average as number": (
        "People for whom the average “total” (as a number) over all “Order Completed” is between 10 and 20.5",
        "Những người có trung bình “total” (tính như số) của các lần “Order Completed” từ 10 đến 20,5",
    ),
    "most frequent": (
        "People for whom the most frequent “category” over all “Order Completed” is “shoes”",
        "Những người có “category” thường gặp nhất của các lần “Order Completed” là “shoes”",
    ),
    "sequence": (
        "People who did “Product Added”, then did not do “Order Completed” within 2 hours, all with the same "
        "“product_id”, beginning in the last 3 days",
        "Những người đã thực hiện “Product Added”, rồi không thực hiện “Order Completed” trong vòng 2 giờ, với cùng "
        "“product_id”, bắt đầu trong 3 ngày qua",
    ),
    "three steps": (
        "People who viewed any page, then did “Product Added” (where “x” is known), then did “Order Completed” "
        "within 1 day",
        "Những người đã xem trang bất kỳ, rồi thực hiện “Product Added” (với “x” có giá trị), rồi thực hiện "
        "“Order Completed” trong vòng 1 ngày",
    ),
    "regularity": (
        "People who did “Session Started” on at least 3 of the last 7 days",
        "Những người đã thực hiện “Session Started” trong ít nhất 3 trên 7 ngày gần nhất",
    ),
    "regularity of weeks": (
        "People who viewed any page in at least 2 of the last 4 weeks",
        "Những người đã xem trang bất kỳ trong ít nhất 2 trên 4 tuần gần nhất",
    ),
    "segment": ("People who are in the segment “Big spenders”", "Những người thuộc phân khúc “Big spenders”"),
    "list": ("People who are not in the list “Fair 2026”", "Những người không có trong danh sách “Fair 2026”"),
    "bucket": (
        "People who are in the part from 0% to 12.5% of the random split “campaign-7”",
        "Những người thuộc phần từ 0% đến 12,5% của phép chia ngẫu nhiên “campaign-7”",
    ),
    "score": ("People whose lead score is at least 40", "Những người có điểm khách tiềm năng từ 40 trở lên"),
    "score between": (
        "People whose data quality score is between -5 and 5.5",
        "Những người có điểm chất lượng dữ liệu từ -5 đến 5,5",
    ),
    "consent": ("People who have granted consent for “marketing”", "Những người đã đồng ý cho mục đích “marketing”"),
    "identifier": (
        "People who do not have an identifier of the kind “social:zalo”",
        "Những người chưa có mã định danh loại “social:zalo”",
    ),
    "status": ("People who are anonymous", "Những người còn ẩn danh"),
    "reachable": ("People who can be reached by push notification", "Những người có thể liên hệ qua thông báo đẩy"),
    "place": (
        "People whose country (last seen) is one of “VN” or “TH”",
        "Những người có quốc gia (lần gần nhất) là một trong “VN” hay “TH”",
    ),
    "device": (
        "People whose browser (last seen) is not known",
        "Những người có trình duyệt (lần gần nhất) không có giá trị",
    ),
    "touch": (
        "People whose referring site of the first touch ends with “.vn”",
        "Những người có trang giới thiệu của lần tiếp xúc đầu tiên kết thúc bằng “.vn”",
    ),
    "stage": (
        "People who are not in the funnel stage “prospect”",
        "Những người không ở giai đoạn “prospect” của phễu",
    ),
    "stages": (
        "People who are in the funnel stages “Lead” or “new-customer”",
        "Những người ở giai đoạn “Lead” hoặc “new-customer” của phễu",
    ),
    "label": ("People who have the label “vip”", "Những người có nhãn “vip”"),
}


@pytest.mark.parametrize("name", SAID)
def test_every_family_has_its_words(name: str) -> None:
    node = parse_condition(VALID[name])
    assert (describe(node, "en", NAMES), describe(node, "vi", NAMES)) == SAID[name]


def test_no_family_is_left_out() -> None:
    assert {type(parse_condition(VALID[name])) for name in SAID} == {
        type(parse_condition(one)) for one in VALID.values()
    } - {All, Any_, Not}


BOUGHT: Final = {**ORDER, "count": {"is": "gte", "value": 2}, "within": "30d"}
GROUPS: Final[list[tuple[dict[str, Any], str, str]]] = [
    (
        {"all": [BOUGHT, {"trait": "plan", "is": "eq", "value": "pro"}]},
        "People who did “Order Completed” at least 2 times in the last 30 days and whose “plan” is “pro”",
        "Những người đã thực hiện “Order Completed” ít nhất 2 lần trong 30 ngày qua và có “plan” là “pro”",
    ),
    (
        {"all": [{"any": [{"label": "a"}, {"all": [{"label": "b"}, {"label": "c"}]}]}, {"label": "d"}, {"label": "e"}]},
        "People (who have the label “a” or (who have the label “b” and who have the label “c”)), "
        "who have the label “d” and who have the label “e”",
        "Những người (có nhãn “a” hoặc (có nhãn “b” và có nhãn “c”)), có nhãn “d” và có nhãn “e”",
    ),
    (
        {"not": {"all": [{"label": "a"}, {"label": "b"}]}},
        "People who are not among the people (who have the label “a” and who have the label “b”)",
        "Những người không thuộc số những người (có nhãn “a” và có nhãn “b”)",
    ),
    (
        {"not": {"trait": "age", "is": "gt", "value": 3}},
        "People who are not among the people whose “age” is more than 3",
        "Những người không thuộc số những người có “age” lớn hơn 3",
    ),
    (
        {"not": {"trait": "a", "is": "in", "value": ["x", "y"]}},
        "People whose “a” is none of “x” or “y”",
        "Những người có “a” không phải là “x” hay “y”",
    ),
    ({"not": ORDER}, "People who never did “Order Completed”", "Những người chưa từng thực hiện “Order Completed”"),
    ({"not": {"not": {"label": "a"}}}, "People who have the label “a”", "Những người có nhãn “a”"),
    ({"not": {"everyone": True}}, "Nobody", "Không có ai"),
    ({"any": [{"everyone": True}, {"label": "a"}]}, "Everyone", "Tất cả mọi người"),
    ({"all": [{"everyone": True}, {"label": "a"}]}, "People who have the label “a”", "Những người có nhãn “a”"),
]


@pytest.mark.parametrize(("condition", "english", "vietnamese"), GROUPS)
def test_groups_can_be_read(condition: dict[str, Any], english: str, vietnamese: str) -> None:
    node = parse_condition(condition)
    assert (describe(node, "en", {}), describe(node, "vi", {})) == (english, vietnamese)


def test_a_long_list_is_cut_and_the_rest_is_counted() -> None:
    node = parse_condition({"trait": "code", "is": "in", "value": [f"c{number}" for number in range(1_000)]})
    assert describe(node, "en", {}).endswith("is one of “c0”, “c1”, “c2”, “c3”, “c4” and 995 more")
    assert describe(node, "vi", {}).endswith("“c3”, “c4” và 995 giá trị khác")


def test_an_unknown_language_is_english_and_an_unknown_name_its_id() -> None:
    assert describe(parse_condition({"segment": "sgm_9"}), "fr", NAMES) == "People who are in the segment “sgm_9”"


@given(st_cases())
def test_what_is_made_simpler_to_say_means_the_same(case: Case) -> None:
    def holds(node: Node) -> bool:
        return evaluate(node, case.subject, case.person.events, case.now, case.setting).holds

    assert holds(simplified(case.node)) == holds(case.node)
    assert holds(simplified(Not(case.node))) != holds(case.node)


@given(st_conditions())
def test_everything_can_be_said(node: Node) -> None:
    for language, start in (("en", "People "), ("vi", "Những người ")):
        said = describe(node, language, {})
        assert said.startswith(start) or simplified(node) in (Everyone(), NOBODY)
        assert "  " not in said
        assert "{" not in said or "{" in repr(node)
