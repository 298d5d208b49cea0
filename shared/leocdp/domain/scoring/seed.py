"""The scoring of a system that nobody has configured: 60 metrics, ten stages, the fields of data quality.

Points, models, stages, loyalty points and journey stages of the metrics are those that LEO CDP is set up with, so that
somebody who moves here finds the same ones. The names of events are those that SDKs and shop systems send.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, cast

from leocdp.domain.scoring.event_names import EVENT_NAMES
from leocdp.domain.scoring.model import Field, Journey, Label, Metric, Model, Scoring, Stage

_DAY: Final = 86_400_000

# metric | English | Vietnamese | points | model | stage | loyalty | journey
_METRICS: Final = """
data-import | Data imported | Nhập dữ liệu | 0 | data_quality | new-visitor | 0 | awareness
ad-impression | Saw an advertisement | Thấy quảng cáo | 1 | acquisition | new-visitor | 0 | awareness
page-view | Viewed a page | Xem trang | 1 | lead | new-visitor | 0 | awareness
accept-tracking | Accepted tracking | Đồng ý theo dõi | 1 | lead | new-visitor | 0 | attraction
engaged-session | Stayed for a while | Ở lại tương tác | 2 | lead | new-visitor | 0 | attraction
like | Liked something | Thích nội dung | 3 | lead | new-visitor | 0 | action
unlike | Took a like back | Bỏ thích nội dung | -3 | lead | new-visitor | 0 | action
content-view | Read content | Xem nội dung | 4 | lead | new-visitor | 0 | attraction
search | Searched | Tìm kiếm | 5 | lead | new-visitor | 0 | ask
item-view | Viewed a product | Xem sản phẩm | 6 | lead | new-visitor | 0 | attraction
survey-view | Opened a survey | Mở khảo sát | 7 | lead | new-visitor | 0 | attraction
click-details | Clicked for details | Bấm xem chi tiết | 8 | lead | new-visitor | 0 | ask
play-video | Played a video | Phát video | 9 | lead | new-visitor | 0 | ask
user-send-text | Sent a message | Gửi tin nhắn | 10 | lead | lead | 0 | ask
admin-view | Was looked at by staff | Được nhân viên xem hồ sơ | 10 | lead | lead | 0 | action
submit-contact | Left contact details | Để lại thông tin liên hệ | 10 | lead | lead | 0 | action
follow | Followed | Theo dõi kênh | 10 | lead | lead | 0 | action
unfollow | Stopped following | Bỏ theo dõi kênh | -10 | lead | lead | 0 | action
file-download | Downloaded a file | Tải tệp xuống | 10 | lead | lead | 0 | action
register-account | Signed up | Đăng ký tài khoản | 11 | lead | lead | 0 | action
user-login | Signed in | Đăng nhập | 12 | lead | lead | 0 | action
short-link-click | Clicked a short link | Bấm liên kết rút gọn | 14 | lead | lead | 0 | ask
qr-code-scan | Scanned a QR code | Quét mã QR | 14 | lead | lead | 0 | ask
notification-click | Opened a notification | Mở thông báo | 15 | prospect | prospect | 0 | ask
sms-click | Clicked in a text message | Bấm liên kết trong SMS | 16 | prospect | prospect | 0 | ask
email-click | Clicked in an e-mail | Bấm liên kết trong email | 16 | prospect | prospect | 0 | ask
join-workshop | Joined a workshop | Tham gia hội thảo thực hành | 17 | prospect | prospect | 0 | ask
join-webinar | Joined a webinar | Tham gia hội thảo trực tuyến | 18 | prospect | prospect | 0 | ask
join-community | Joined a community | Tham gia cộng đồng | 19 | prospect | prospect | 0 | ask
check-in | Checked in | Đến tận nơi | 20 | prospect | prospect | 0 | ask
ask-question | Asked a question | Đặt câu hỏi | 21 | prospect | prospect | 0 | ask
chat-for-support | Chatted with support | Trò chuyện với hỗ trợ | 22 | feedback | prospect | 0 | ask
product-trial | Tried a product | Dùng thử sản phẩm | 23 | prospect | prospect | 0 | ask
add-wishlist | Put on a wish list | Thêm vào danh sách yêu thích | 24 | prospect | prospect | 0 | action
add-to-cart | Put into the cart | Thêm vào giỏ hàng | 24 | prospect | prospect | 0 | action
remove-from-cart | Took out of the cart | Bỏ khỏi giỏ hàng | 0 | prospect | prospect | 0 | action
apply-loan | Applied for a loan | Đăng ký vay | 25 | prospect | prospect | 0 | action
booking | Made a booking | Đặt chỗ | 25 | prospect | prospect | 0 | action
order-checkout | Went to the checkout | Vào trang thanh toán | 26 | prospect | prospect | 0 | action
approve-loan | Was granted a loan | Được duyệt vay | 27 | lifetime_value | new-customer | 1 | action
purchase | Bought | Mua hàng | 27 | lifetime_value | new-customer | 1 | action
enroll | Enrolled | Ghi danh | 28 | lifetime_value | new-customer | 1 | action
subscribe | Subscribed | Đăng ký gói dịch vụ | 29 | lifetime_value | new-customer | 1 | action
made-payment | Paid | Thanh toán | 30 | lifetime_value | new-customer | 1 | action
submit-feedback-form | Gave feedback | Gửi phản hồi | 31 | feedback | engaged-customer | 1 | advocacy
submit-rating-form | Gave a rating | Gửi đánh giá | 32 | feedback | engaged-customer | 1 | advocacy
submit-comment-form | Wrote a comment | Gửi bình luận | 33 | feedback | engaged-customer | 1 | advocacy
repurchase | Bought again | Mua lại | 34 | lifetime_value | engaged-customer | 1 | action
submit-ces-form | Rated the effort (CES) | Khảo sát CES | 35 | effort | engaged-customer | 2 | advocacy
submit-csat-form | Rated satisfaction (CSAT) | Khảo sát CSAT | 36 | satisfaction | engaged-customer | 2 | advocacy
submit-nps-form | Would recommend, or not (NPS) | Khảo sát NPS | 37 | promoter | engaged-customer | 2 | advocacy
positive-feedback | Praised | Khen ngợi | 42 | promoter | happy-customer | 3 | advocacy
negative-feedback | Complained | Phàn nàn | -40 | detractor | unhappy-customer | -1 | advocacy
positive-social-review | Praised in public | Khen công khai | 45 | promoter | customer-advocate | 3 | advocacy
negative-social-review | Complained in public | Chê công khai | -44 | detractor | unhappy-customer | -1 | advocacy
viral-positive-review | Praise that spread | Lời khen lan rộng | 50 | promoter | customer-advocate | 5 | advocacy
product-return | Returned a product | Trả hàng | -33 | detractor | terminated-customer | -3 | action
unsubscribe-service | Unsubscribed | Hủy đăng ký dịch vụ | -44 | detractor | terminated-customer | -4 | action
cancel-contract | Cancelled the contract | Hủy hợp đồng | -55 | detractor | terminated-customer | -5 | action
viral-negative-review | Complaint that spread | Lời chê lan rộng | -66 | detractor | unhappy-customer | -6 | advocacy
"""

_TYPES: Final = {"page-view": ("page", "screen")}
_AGAIN: Final = {"purchase": "engaged-customer"}
"""Shops send the same event for every order: the second one is a repeated purchase."""

STAGES: Final = (
    Stage("new-visitor", Label("New visitor", "Khách mới ghé thăm")),
    Stage("returning-visitor", Label("Returning visitor", "Khách quay lại")),
    Stage("lead", Label("Lead", "Khách tiềm năng")),
    Stage("prospect", Label("Prospect", "Khách triển vọng")),
    Stage("new-customer", Label("New customer", "Khách hàng mới"), "customer"),
    Stage("engaged-customer", Label("Engaged customer", "Khách hàng gắn bó"), "customer"),
    Stage("happy-customer", Label("Happy customer", "Khách hàng hài lòng"), "customer"),
    Stage("customer-advocate", Label("Advocate", "Khách hàng ủng hộ"), "customer"),
    Stage("unhappy-customer", Label("Unhappy customer", "Khách hàng không hài lòng"), "negative"),
    Stage("terminated-customer", Label("Lost customer", "Khách hàng đã rời bỏ"), "negative"),
)

# field | English | Vietnamese | weight | traits | kinds of identifier
_FIELDS: Final = """
email | E-mail address | Địa chỉ email | 15 | | email
phone | Phone number | Số điện thoại | 15 | | phone
user_id | User id | Mã người dùng | 10 | | user_id
crm_id | Customer number | Mã khách hàng | 5 | | crm_id
social | Social account | Tài khoản mạng xã hội | 5 | | social
first_name | First name | Tên | 5 | firstName, first_name, name |
last_name | Last name | Họ | 5 | lastName, last_name, name |
gender | Gender | Giới tính | 4 | gender |
birthday | Birthday | Ngày sinh | 6 | birthday, birthdate, date_of_birth |
avatar | Picture | Ảnh đại diện | 2 | avatar |
company | Company | Công ty | 3 | company, company.name |
job_title | Job | Chức danh | 3 | title, jobTitle, job_title |
language | Language | Ngôn ngữ | 2 | language, locale |
street | Street | Địa chỉ | 5 | address.street, street |
city | City | Thành phố | 5 | address.city, city |
region | Region | Tỉnh, bang | 3 | address.state, address.region, state, region |
postal_code | Postal code | Mã bưu chính | 3 | address.postalCode, address.postal_code, postal_code, zip |
country | Country | Quốc gia | 4 | address.country, country |
"""

HALF_LIVES: Final[Mapping[str, int | None]] = {
    "lead": 30 * _DAY,
    "prospect": 30 * _DAY,
    "engagement": 90 * _DAY,
    "loyalty": None,
}


def default_scoring() -> Scoring:
    return _DEFAULT


def _rows(table: str) -> Iterator[list[str]]:
    for line in table.strip().splitlines():
        yield [cell.strip() for cell in line.split("|")]


def _metric(row: list[str]) -> Metric:
    name, english, vietnamese, points, model, stage, loyalty, journey = row
    return Metric(
        name,
        Label(english, vietnamese),
        int(points),
        cast(Model, model),
        stage,
        _AGAIN.get(name, ""),
        int(loyalty),
        cast(Journey, journey),
        EVENT_NAMES[name],
        _TYPES.get(name, ()),
    )


def _field(row: list[str]) -> Field:
    name, english, vietnamese, weight, traits, kinds = row
    paths = tuple(tuple(trait.split(".")) for trait in _listed(traits))
    return Field(name, Label(english, vietnamese), int(weight), paths, _listed(kinds))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


_DEFAULT: Final = Scoring(
    metrics={row[0]: _metric(row) for row in _rows(_METRICS)},
    half_lives=HALF_LIVES,
    stages=STAGES,
    fields={row[0]: _field(row) for row in _rows(_FIELDS)},
    contact_stage="lead",
    returning_stage="returning-visitor",
    returning_after=_DAY,
)
