"""Fields that the mall documents and the hub has no use for: whatever else comes is new.

A name counts at any depth. Fields inside an unused object are not looked at.
Source: Cafe24 Admin API, version 2026-03-01, property lists and samples of Orders, Orders items, Orders
receivers, Orders buyer, Cancellation, Return, Exchange, Boards articles, Urgentinquiry; confidence: sure.
"""

_ORDER = """
    shop_no member_email member_authentication billing_name bank_code bank_code_name sub_payment_method_name
    sub_payment_method_code transaction_ids canceled first_order order_from_mobile use_escrow group_no_when_ordering
    initial_order_amount actual_order_amount bank_account_no bank_account_owner_name market_seller_id cancel_date
    order_place_name payment_confirmation commission postpay admin_additional_amount additional_shipping_fee
    international_shipping_insurance additional_handling_fee shipping_type shipping_type_text shipping_status
    wished_delivery_date wished_delivery_time wished_carrier_id wished_carrier_name return_confirmed_date
    total_supply_price naver_point additional_order_info_list store_pickup loan_status subscription
    shipping_fee_detail regional_surcharge_detail multiple_addresses exchange_rate first_payment_methods
    include_tax tax tax_detail service_type service_data show_shipping_address social_member_code social_name
    customer_group_no_when_ordering benefits coupons refunds process_status order_item_code purchase_confirmation
    collect_points market_discount_info links
"""
_ITEM = """
    item_no variant_code product_no custom_variant_code internal_product_name eng_product_name option_id
    option_value_default additional_option_value additional_option_values product_name_default
    additional_discount_price coupon_discount_price app_item_discount_amount payment_amount product_tax_type tax_rate
    supplier_product_name supplier_name refund_bank_name refund_bank_account_no refund_bank_account_holder
    refund_bank_code post_express_flag order_status_additional_info status_text open_market_status
    bundled_shipping_type shipping_company_id product_bundle product_bundle_no product_bundle_name
    product_bundle_name_default product_bundle_type was_product_bundle original_bundle_item_no
    individual_shipping_fee shipping_fee_type shipping_fee_type_text shipping_payment_option payment_info_id
    product_material product_material_eng cloth_fabric product_weight volume_size volume_size_weight
    clearance_category clearance_category_info clearance_category_code hs_code one_plus_n_event origin_place
    origin_place_no made_in_code origin_place_value gift item_granting_gift product_bundle_list
    market_fail_reason market_fail_reason_guide market_fail_reason_type
    market_item_no market_item_sequence market_custom_variant_code option_type options market_discount_amount labels
    supply_price multi_invoice order_id claim_type claim_status dropshipping_type
"""
_PEOPLE = """
    member_group_no names_furigana name_furigana customer_notification updated_date user_id user_name company_name
    company_registration_no buyer_zipcode buyer_address1 buyer_address2 address_state address_city address_street
    address_full name_en city_en state_en street_en country_name country_name_en clearance_information_type
    clearance_information change_default_shipping_address use_fast_delivery_date use_fast_delivery_time
"""
_CLAIM = """
    claim_due_date receiver reshipping_detail pickup additional_payment refund_methods refund_reason
    order_price_amount shipping_fee refund_shipping_fee refund_regional_surcharge return_ship_type return_shipping_fee
    return_shipping_fee_detail return_regional_surcharge return_regional_surcharge_detail
    international_shipping_additional_fee defer_commission partner_discount_amount add_discount_amount
    member_grade_discount_amount shipping_discount_amount coupon_discount_amount point_used credit_used
    expose_order_detail exposed_undone_reason carrier_id return_invoice_success return_invoice_fail_reason
    cancel_fee_amount status recover_inventory request_pickup add_memo_too pickup_completed pickup_request_state
    exchanged_after_collected payment_method refund_bank_name
"""
_ARTICLE = """
    category_no board_category_no reply_sequence supplier_id client_ip nick_name rating sales_channel reply_mail
    display fixed input_channel hit reply naverpay_review_id display_time
    display_time_start_hour display_time_end_hour attached_file_detail attached_file_urls
"""
_URGENT = """
    article_type hit writer_email phone
"""
_COMMENT = """
    shop_no board_no client_ip rating secret parent_comment_no input_channel
"""


def _anywhere(*names: str) -> frozenset[str]:
    return frozenset(f"*.{name}" for text in names for name in text.split())


#: of an order with its embedded lines, people and claims
ORDER = _anywhere(_ORDER, _ITEM, _PEOPLE, _CLAIM)
#: of a post
ARTICLE = _anywhere(_ARTICLE)
#: of an urgent inquiry
URGENT = _anywhere(_URGENT)
#: of a comment
COMMENT = _anywhere(_COMMENT)
