"""Invented goods, carriers and the words customers use, in Korean and Japanese; some of them awkward on purpose."""

from hub.core.model import ClaimReason, InventoryMode
from hub.sandbox.facts import Item

CARRIERS = {
    "KR": ("CJ대한통운", "롯데택배", "한진택배", "우체국택배"),
    "JP": ("ヤマト運輸", "佐川急便", "日本郵便"),
}

# name, options, price
_KOREAN_GOODS = (
    ("린넨 셔츠", ("색상=블랙", "색상=화이트", "색상=네이비"), 25800),
    ("와이드 데님 팬츠", ("사이즈=S", "사이즈=M", "사이즈=L"), 39900),
    ("무선 핸디 청소기 <b>신상</b>", ("색상=실버", "색상=화이트"), 89000),
    ('스테인리스 텀블러 "온더락" 500ml', ("색상=민트", "색상=베이지"), 15000),
    ("제주 감귤 5kg 🍊", ("",), 24800),
    ("유기농 현미 10kg", ("",), 42000),
    ("캠핑 의자 & 파우치 세트", ("색상=카키", "색상=블랙"), 54600),
    ("키즈 레인부츠", ("사이즈=160", "사이즈=180", "사이즈=200"), 19900),
    ("저소음 무선 마우스", ("색상=블랙", "색상=핑크"), 22000),
    ("수분 크림 50ml 1+1", ("",), 31500),
    ("강아지 간식 종합팩 🐶", ("맛=연어", "맛=오리"), 12900),
    ("블루투스 스피커", ("색상=그레이",), 67000),
    ("극세사 이불 세트 (Q) 먼지없는 사계절용 알레르기 방지 호텔식 침구 풀세트", ("색상=아이보리", "색상=차콜"), 78000),
    ("스마트워치 스트랩", ("길이=S/M", "길이=M/L"), 9900),
)
_JAPANESE_GOODS = (
    ("韓国コスメ クッションファンデ 21号", ("カラー:ナチュラル", "カラー:ピンク"), 2480),
    ("シカクリーム 50ml 2個セット", ("",), 3200),
    ("オーバーサイズ Tシャツ <b>送料無料</b>", ("サイズ:M", "サイズ:L"), 1980),
    ("韓国海苔 8袋×3 🍙", ("",), 1580),
    ("ワイドデニムパンツ", ("サイズ:S", "サイズ:M", "サイズ:L"), 4980),
    ("マスクパック 30枚 'お得用'", ("種類:シカ", "種類:ビタミン"), 1290),
    ("スマホケース 手帳型", ("機種:15", "機種:16"), 1480),
    ("辛ラーメン 20袋", ("",), 2680),
    ("リップティント", ("カラー:01", "カラー:02", "カラー:03"), 990),
)
_SUPPLIERS = (
    (InventoryMode.CONSIGNMENT, "S000000A", "한빛유통", None),
    (InventoryMode.DIRECT_PURCHASE, "S0000000", "자체공급", None),
    (InventoryMode.THIRD_PARTY_LOGISTICS, "S000000B", "다온상사", "EX01"),
    (InventoryMode.CONSIGNMENT, "S000000C", "그린팜", None),
)


def make_items(country: str) -> list[Item]:
    """Every good with each of its options; numbers are unique over the countries, options of one good share ``sku``."""
    goods, first = (_JAPANESE_GOODS, 501) if country == "JP" else (_KOREAN_GOODS, 10)
    items: list[Item] = []
    for index, (name, options, price) in enumerate(goods):
        mode, code, supplier, logistics = _SUPPLIERS[index % len(_SUPPLIERS)]
        for option_index, option in enumerate(options):
            items.append(
                Item(
                    number=first + len(items),
                    name=name,
                    option=option,
                    price=price,
                    sku=f"{country}-SKU-{index + 1:03d}",
                    option_sku=f"{country}-SKU-{index + 1:03d}-{option_index + 1}",
                    mode=mode,
                    supplier_code=code,
                    supplier_name=supplier,
                    logistics_company=logistics,
                )
            )
    return items


CLAIM_TEXTS = {
    "KR": {
        ClaimReason.CHANGE_OF_MIND: ("단순 변심", "필요 없어졌어요 😅", "다른 곳에서 샀습니다"),
        ClaimReason.WRONG_ORDER: ("옵션을 잘못 골랐어요", "사이즈를 잘못 주문했습니다"),
        ClaimReason.LATE: ("배송이 너무 늦어요", "언제 오는지 몰라서 취소합니다"),
        ClaimReason.OUT_OF_STOCK: ("품절로 인한 취소",),
        ClaimReason.DEFECT: ("전원이 켜지지 않아요", "박음질이 뜯어져 있습니다 <br>사진 첨부"),
        ClaimReason.DAMAGED: ("상자가 찌그러져 왔어요", "깨져서 도착했습니다"),
        ClaimReason.WRONG_ITEM: ("다른 색상이 왔어요",),
        ClaimReason.MISSING_PART: ("부속품이 빠져 있어요",),
        ClaimReason.NOT_AS_DESCRIBED: ('상세페이지의 "면 100%"와 다릅니다',),
    },
    "JP": {
        ClaimReason.CHANGE_OF_MIND: ("不要になりました", "気が変わりました 🙏"),
        ClaimReason.WRONG_ORDER: ("サイズを間違えました",),
        ClaimReason.LATE: ("発送が遅いため",),
        ClaimReason.OUT_OF_STOCK: ("在庫切れ",),
        ClaimReason.DEFECT: ("ファスナーが壊れています",),
        ClaimReason.DAMAGED: ("箱が潰れて中身が割れていました",),
        ClaimReason.WRONG_ITEM: ("違う色が届きました",),
        ClaimReason.MISSING_PART: ("一部が入っていません",),
        ClaimReason.NOT_AS_DESCRIBED: ("写真と違います",),
    },
}
# category, subject, text
ORDER_QUESTIONS = {
    "KR": (
        ("배송", "배송 언제 되나요?", "주문한 지 3일이 지났는데 아직 출고 전이네요.\n언제 받을 수 있을까요? 🚚"),
        ("배송", "송장 조회가 안 돼요", "송장번호는 있는데 조회가 안 됩니다. <b>확인</b> 부탁드려요"),
        ("교환", "사이즈 교환 문의", "M으로 바꾸고 싶어요. 왕복 배송비가 얼마인가요?"),
        ("반품", "반품 접수했는데 기사님이 안 오세요", "접수한 지 이틀 됐습니다."),
        ("주문/결제", "배송지 변경 부탁드립니다", "받는 분 연락처가 010-0000-1234 로 바뀌었어요"),
        ("환불", "환불 언제 되나요", '"카드 취소"로 알고 있는데 아직 문자가 없어요 ㅠㅠ'),
    ),
    "JP": (
        ("配送", "いつ届きますか", "注文から5日経ちました。いつ発送されますか?"),
        ("配送", "追跡番号について", "追跡番号で検索できません 😢"),
        ("キャンセル", "キャンセルしたい", "間違えて注文しました。キャンセルをお願いします。"),
        ("商品", "商品が違います", "届いた商品が<b>写真と違います</b>。交換できますか?"),
    ),
}
PRODUCT_QUESTIONS = {
    "KR": (
        ("상품", "재입고 문의", "블랙 색상 재입고 언제 되나요?"),
        ("상품", "사이즈 문의", "키 170에 몸무게 65인데 어떤 사이즈가 맞을까요? 🤔"),
        ("상품", "원산지가 어디인가요", "상세페이지에 <원산지>가 안 보여요."),
        ("배송", "제주도 추가 배송비", "제주도는 추가 배송비가 있나요?"),
    ),
    "JP": (
        ("商品", "サイズについて", "身長160cmですが、Mサイズで大丈夫ですか?"),
        ("商品", "再入荷はありますか", "ピンクの再入荷予定を教えてください。"),
    ),
}
FOLLOW_UPS = {
    "KR": ("답변 감사합니다. 그럼 내일까지는 출고되는 건가요?", "아직도 그대로예요. 다시 확인해 주세요!!"),
    "JP": ("ありがとうございます。明日発送されますか?", "まだ届いていません。確認をお願いします。"),
}
ANSWERS = {
    "KR": (
        "안녕하세요, 고객님. 확인 후 내일 출고 예정입니다.",
        "안녕하세요. 담당 부서에 확인하여 처리해 드렸습니다. 감사합니다.",
    ),
    "JP": (
        "お問い合わせありがとうございます。明日発送予定です。",
        "ご不便をおかけして申し訳ございません。確認いたしました。",
    ),
}
MESSAGES = {
    "KR": (
        "",
        "",
        "문 앞에 놓아주세요",
        "경비실에 맡겨주세요",
        "부재 시 전화 주세요 📞",
        "'벨' 누르지 마세요 & 문자 주세요",
    ),
    "JP": ("", "", "宅配ボックスにお願いします", "不在時はお電話ください"),
}
