"""The shop of the demonstration: what it sells, to whom it advertises, and where its visitors live. Prices in VND."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DOMAIN: Final = "https://shop.example.vn"
CURRENCY: Final = "VND"


@dataclass(frozen=True, slots=True)
class Product:
    id: str
    name: str
    category: str
    slug: str
    price: int
    """VND."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """How a visit began. An empty ``source`` is a direct visit."""

    source: str
    medium: str
    name: str
    referrer: str
    weight: int


_GOODS: Final = {
    ("Cà phê", "ca-phe"): [
        ("Cà phê Robusta Buôn Ma Thuột 500g", 145_000),
        ("Cà phê Arabica Cầu Đất 250g", 165_000),
        ("Phin nhôm pha cà phê", 55_000),
        ("Bộ quà tặng cà phê Tết", 520_000),
    ],
    ("Trà", "tra"): [
        ("Trà sen Tây Hồ 100g", 390_000),
        ("Trà ô long Bảo Lộc 200g", 210_000),
        ("Trà Shan tuyết Hà Giang 100g", 280_000),
    ],
    ("Thời trang", "thoi-trang"): [
        ("Áo dài lụa Vạn Phúc", 1_850_000),
        ("Áo sơ mi lanh", 420_000),
        ("Khăn lụa tơ tằm", 350_000),
        ("Nón lá Huế", 120_000),
        ("Túi cói đan tay", 290_000),
    ],
    ("Nhà cửa", "nha-cua"): [
        ("Bát gốm Bát Tràng, bộ 6", 480_000),
        ("Bình hoa gốm men rạn", 690_000),
        ("Đèn lồng Hội An", 180_000),
        ("Khay mây tre tròn", 230_000),
    ],
    ("Đặc sản", "dac-san"): [
        ("Mật ong rừng U Minh 500ml", 260_000),
        ("Nước mắm Phú Quốc 40 độ đạm", 175_000),
        ("Hạt điều rang muối Bình Phước 500g", 185_000),
        ("Kẹo dừa Bến Tre, hộp 400g", 65_000),
        ("Bánh pía Sóc Trăng, hộp 4", 90_000),
    ],
    ("Chăm sóc", "cham-soc"): [
        ("Tinh dầu sả chanh 50ml", 150_000),
        ("Xà phòng bồ kết", 75_000),
        ("Dầu gội bồ kết hương nhu", 195_000),
    ],
}

PRODUCTS: Final = tuple(
    Product(f"SP{number:03d}", name, category, slug, price)
    for number, (category, slug, name, price) in enumerate(
        ((category, slug, name, price) for (category, slug), goods in _GOODS.items() for name, price in goods),
        start=101,
    )
)

CATEGORIES: Final = tuple(_GOODS)

CAMPAIGNS: Final = (
    Campaign("", "", "", "", 30),
    Campaign("google", "organic", "", "https://www.google.com.vn/", 24),
    Campaign("facebook", "cpc", "sale-20-10", "https://m.facebook.com/", 16),
    Campaign("zalo", "social", "tet-som", "https://zalo.me/", 10),
    Campaign("tiktok", "cpc", "lua-van-phuc", "https://www.tiktok.com/", 9),
    Campaign("newsletter", "email", "ban-tin-thang", "", 7),
    Campaign("coccoc", "organic", "", "https://coccoc.com/", 4),
)

CITIES: Final = (
    ("Hồ Chí Minh", 30),
    ("Hà Nội", 26),
    ("Đà Nẵng", 9),
    ("Cần Thơ", 7),
    ("Hải Phòng", 6),
    ("Huế", 5),
    ("Nha Trang", 4),
    ("Buôn Ma Thuột", 3),
    ("Quy Nhơn", 3),
    ("Vinh", 3),
)

FAMILY_NAMES: Final = (
    ("Nguyễn", 38),
    ("Trần", 12),
    ("Lê", 10),
    ("Phạm", 7),
    ("Hoàng", 5),
    ("Huỳnh", 5),
    ("Phan", 5),
    ("Vũ", 4),
    ("Võ", 4),
    ("Đặng", 3),
    ("Bùi", 3),
    ("Đỗ", 2),
    ("Ngô", 2),
)

WOMEN: Final = (
    "Lan",
    "Hương",
    "Mai",
    "Thảo",
    "Ngọc Anh",
    "Thu Hà",
    "Phương Linh",
    "Quỳnh",
    "Bích Ngọc",
    "Diệu",
    "Yến",
    "Trang",
)
MEN: Final = ("Minh", "Hùng", "Đức", "Tuấn", "Quang Huy", "Thành", "Khánh", "Bảo", "Sơn", "Đạt", "Trung", "Phúc")

_WEBKIT: Final = "AppleWebKit/537.36 (KHTML, like Gecko)"

DEVICES: Final = {
    "phone": (
        f"Mozilla/5.0 (Linux; Android 15; SM-A556E) {_WEBKIT} Chrome/140.0.0.0 Mobile Safari/537.36",
        (412, 915),
    ),
    "laptop": (
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/140.0.0.0 Safari/537.36",
        (1536, 864),
    ),
    "tablet": (
        f"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) {_WEBKIT} Version/18.5 Safari/604.1",
        (820, 1180),
    ),
}
