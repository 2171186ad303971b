"""Invented people of Korea and Japan. The phone blocks 010-0… and 090-0… are allotted to nobody."""

from random import Random

from hub.sandbox.facts import Person

_KOREAN_FAMILY = (
    "김",
    "이",
    "박",
    "최",
    "정",
    "강",
    "조",
    "윤",
    "장",
    "임",
    "한",
    "오",
    "서",
    "신",
    "권",
    "황보",
    "남궁",
)
_KOREAN_GIVEN = (
    "민수", "서연", "지훈", "하은", "도윤", "지우", "예준", "수아", "시우", "서준", "지아", "하준", "은우", "유진",
    "민지", "현우", "채원", "준호", "다은", "성민", "가온", "솔", "빛나래", "슬기",
)  # fmt: skip
_KOREAN_STREETS = (
    ("04524", "서울특별시 중구 세종대로 110"),
    ("06236", "서울특별시 강남구 테헤란로 152"),
    ("48058", "부산광역시 해운대구 센텀중앙로 90"),
    ("35208", "대전광역시 서구 둔산로 100"),
    ("61945", "광주광역시 서구 내방로 111"),
    ("63122", "제주특별자치도 제주시 문연로 6"),
    ("13529", "경기도 성남시 분당구 판교역로 235"),
    ("24266", "강원특별자치도 춘천시 중앙로 1"),
)
_JAPANESE_FAMILY = (
    ("佐藤", "サトウ"), ("鈴木", "スズキ"), ("高橋", "タカハシ"), ("田中", "タナカ"), ("伊藤", "イトウ"),
    ("渡邉", "ワタナベ"), ("山本", "ヤマモト"), ("中村", "ナカムラ"), ("小林", "コバヤシ"), ("髙﨑", "タカサキ"),
)  # fmt: skip
_JAPANESE_GIVEN = (
    ("花子", "ハナコ"), ("太郎", "タロウ"), ("美咲", "ミサキ"), ("翔太", "ショウタ"), ("結衣", "ユイ"),
    ("大輔", "ダイスケ"), ("さくら", "サクラ"), ("健一", "ケンイチ"), ("陽菜", "ヒナ"), ("葵", "アオイ"),
)  # fmt: skip
_JAPANESE_STREETS = (
    ("100-0005", "東京都千代田区丸の内1丁目"),
    ("530-0001", "大阪府大阪市北区梅田3丁目"),
    ("060-0005", "北海道札幌市中央区北五条西2丁目"),
    ("810-0001", "福岡県福岡市中央区天神1丁目"),
    ("900-0015", "沖縄県那覇市久茂地3丁目"),
    ("460-0008", "愛知県名古屋市中区栄4丁目"),
)


def make_people(random: Random, *, country: str, count: int) -> list[Person]:
    """``count`` people of ``country`` (KR, JP), one in five without a member id, each with a phone of its own."""
    make = _japanese if country == "JP" else _korean
    return [make(random, number) for number in range(1, count + 1)]


def _korean(random: Random, number: int) -> Person:
    zip_code, base = random.choice(_KOREAN_STREETS)
    name = random.choice(_KOREAN_FAMILY) + random.choice(_KOREAN_GIVEN)
    if number % 97 == 0:
        name += "(주식회사 아주긴이름을가진고객상담테스트상회 총무팀)"
    return Person(
        name=name,
        kana=None,
        phone=f"010-0{number // 10000 % 1000:03d}-{number % 10000:04d}",
        email=f"kr{number}@example.com",
        zip_code=zip_code,
        address_base=base,
        address_detail=f"{random.randrange(1, 30)}층 {random.randrange(101, 2500)}호",
        member_id=None if number % 5 == 0 else f"member{number}",
    )


def _japanese(random: Random, number: int) -> Person:
    zip_code, base = random.choice(_JAPANESE_STREETS)
    family, family_kana = random.choice(_JAPANESE_FAMILY)
    given, given_kana = random.choice(_JAPANESE_GIVEN)
    return Person(
        name=f"{family} {given}",
        kana=None if number % 4 == 0 else f"{family_kana} {given_kana}",
        phone=f"090-0{number // 10000 % 1000:03d}-{number % 10000:04d}",
        email=f"jp{number}@example.com",
        zip_code=zip_code,
        address_base=base,
        address_detail=f"{random.randrange(1, 20)}番{random.randrange(1, 30)}号 メゾン{random.randrange(101, 909)}",
        member_id=f"qmember{number}",
    )
