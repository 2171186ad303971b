"""The other pages: an order, shops, people and the access log."""

from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from msgspec import Struct

from hub.core.contract import Support
from hub.core.errors import ConfigurationError
from hub.desk.access import Actor, Role
from hub.desk.access_log import read_access_log
from hub.desk.cases.case import read_order, unmask_order
from hub.desk.files.importing import read_levels
from hub.desk.marks import mall_mark
from hub.desk.people import add_person, change_person, read_people
from hub.desk.shops.abilities import AbilityGroup, read_abilities
from hub.desk.shops.freshness import count_open_cases, read_shops
from hub.desk.shops.openings import read_openings
from hub.desk.shops.status import read_status
from hub.web.auth import Form
from hub.web.cases.acting import Notice
from hub.web.cases.work import ReasonForm
from hub.web.render import Given, Pages
from hub.web.subjects import told_entry

PageRequest = Request[Actor, str, State]
_LONGEST: Final = 200


@get("/orders/{order_id:int}")
async def order_page(request: PageRequest, services: Given, pages: Pages, order_id: FromPath[int]) -> Response[str]:
    dossier = await read_order(services, actor=request.user, order_id=order_id)
    carriers = await services.carriers.of(services, dossier.shop.shop)
    names = {carrier.code: carrier.name for carrier in carriers}
    return pages.page(
        request,
        "pages/order.html",
        of_mall=dossier.shop.mark.mall,
        dossier=dossier,
        order_id=order_id,
        notice=None,
        carrier_names=names,
    )


@post("/orders/{order_id:int}/unmask")
async def unmask_order_form(
    request: PageRequest,
    services: Given,
    pages: Pages,
    order_id: FromPath[int],
    data: Annotated[ReasonForm, Form],
) -> Response[str]:
    if not data.reason.strip():
        dossier = await read_order(services, actor=request.user, order_id=order_id)
        missing = Notice(key="notice.reason_missing", tone="wrong")
        return pages.page(
            request,
            "pages/order.html",
            of_mall=dossier.shop.mark.mall,
            dossier=dossier,
            order_id=order_id,
            notice=missing,
        )
    dossier = await unmask_order(services, actor=request.user, order_id=order_id, reason=data.reason)
    return pages.page(
        request, "pages/order.html", of_mall=dossier.shop.mark.mall, dossier=dossier, order_id=order_id, notice=None
    )


@get("/shops")
async def shops_page(request: PageRequest, services: Given, pages: Pages) -> Response[str]:
    shops = await read_shops(services, actor=request.user)
    status = await read_status(services)
    figures = {(shop.shop, feed.feed.value): feed for shop in status.shops for feed in shop.feeds}
    consents = {shop.shop: shop.consent for shop in status.shops if shop.consent is not None}
    return pages.page(
        request,
        "pages/shops.html",
        shops=shops,
        open_cases=await count_open_cases(services, actor=request.user),
        figures=figures,
        consents=consents,
        webhooks={shop.shop: shop.webhook for shop in status.shops if shop.webhook is not None},
        quotas={shop.shop: shop.quota for shop in status.shops if shop.quota is not None},
        # A shop whose connector is gone still has its row.
        shop_feeds={shop.shop: [feed.feed.value for feed in shop.feeds] or ["orders"] for shop in status.shops},
        worker_seen=status.worker_seen,
        levels=await read_levels(services),
        openings={each.shop: each for each in await read_openings(services)},
    )


@get("/connectors")
async def connectors_page(
    request: PageRequest,
    services: Given,
    pages: Pages,
    mall: FromQuery[str] = "",
    group: FromQuery[str] = "",
    can: FromQuery[str] = "",
) -> Response[str]:
    """What each mall can do; a filter that is not understood is no filter."""
    chosen = {
        "mall": mall if mall in services.registry.manifests else None,
        "group": AbilityGroup(group) if group in set(AbilityGroup) else None,
        "state": Support(can) if can in set(Support) else None,
    }
    return pages.page(
        request,
        "pages/connectors.html",
        abilities=read_abilities(services, actor=request.user, **chosen),  # type: ignore[arg-type]  # by name
        chosen=chosen,
        malls=tuple(mall_mark(services.registry, name) for name in sorted(services.registry.manifests)),
        groups=tuple(AbilityGroup),
        states=tuple(Support),
    )


class PersonForm(Struct, kw_only=True):
    login: str = ""
    name: str = ""
    role: str = ""
    password: str = ""


class ChangeForm(Struct, kw_only=True):
    login: str = ""
    change: str = ""


@get("/people")
async def people_page(request: PageRequest, services: Given, pages: Pages) -> Response[str]:
    people = await read_people(services, actor=request.user)
    return pages.page(request, "pages/people.html", people=people, roles=tuple(Role), wrong=None, typed=PersonForm())


@post("/people")
async def add_person_form(
    request: PageRequest, services: Given, pages: Pages, data: Annotated[PersonForm, Form]
) -> Response[Any]:
    try:
        await add_person(
            services,
            actor=request.user,
            login=data.login[:_LONGEST],
            name=data.name[:_LONGEST],
            role=Role(data.role) if data.role in set(Role) else Role.AGENT,
            password=data.password[:1000],
        )
    except ConfigurationError as error:
        people = await read_people(services, actor=request.user)
        return pages.page(
            request, "pages/people.html", status=422, people=people, roles=tuple(Role), wrong=str(error), typed=data
        )
    return Redirect("/people", status_code=303)


@post("/people/change")
async def change_person_form(request: PageRequest, services: Given, data: Annotated[ChangeForm, Form]) -> Response[Any]:
    await change_person(services, actor=request.user, login=data.login[:_LONGEST], is_active=data.change == "open")
    return Redirect("/people", status_code=303)


@get("/access-log")
async def access_log_page(
    request: PageRequest, services: Given, pages: Pages, before: FromQuery[int | None] = None
) -> Response[str]:
    log = await read_access_log(services, actor=request.user, before=before)
    return pages.page(request, "pages/access_log.html", log=log, told=told_entry)


PAGES: Final = [
    order_page,
    unmask_order_form,
    shops_page,
    connectors_page,
    people_page,
    add_person_form,
    change_person_form,
    access_log_page,
]
