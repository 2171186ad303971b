"""The questions of one case beside its contacts: what could be asked and how, what was, and how fast people answer."""

from msgspec import Struct

from hub.desk.access import Actor, Permission, require
from hub.desk.asks.asking import parties_of, prepare
from hub.desk.asks.text import may_know_person, person_facts
from hub.desk.asks.times import Speed, read_speeds
from hub.desk.asks.ways import Way, language_of, ways_of
from hub.desk.services import Services
from hub.desk.views import AskView, CaseView, ContactCard
from routing.chain import Matter


class AskOffer(Struct, frozen=True, kw_only=True):
    """How one contact can be asked. ``person``: the customer's data that would go with it, masked, by label."""

    ways: tuple[Way, ...]
    language: str
    text: str
    person: tuple[tuple[str, str], ...]


class SpeedOf(Struct, frozen=True, kw_only=True):
    """How fast a contact answers, and everybody of its organisation ``name`` together."""

    contact: Speed | None
    name: str | None
    organisation: Speed | None


class AskPanel(Struct, frozen=True, kw_only=True):
    """``offers`` and ``speeds`` by the contact's key; ``asks`` of this case, newest first."""

    offers: dict[str, AskOffer]
    speeds: dict[str, SpeedOf]
    asks: tuple[AskView, ...]


async def read_ask_panel(
    services: Services, *, actor: Actor, case: CaseView, card: ContactCard | None, matter: Matter
) -> AskPanel:
    """Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    asked = tuple(each for each in reversed(case.dossier.asks) if each.case_id == case.row.case_id)
    keys = {person.key for person in card.chain} if card else set()
    book = services.routing
    people = [each for each in book.directory.contacts if each.key in keys] if book and keys else []
    if not people:
        return AskPanel(offers={}, speeds={}, asks=asked)
    parties = await parties_of(services, case.row.case_id)
    texts = {
        language: await prepare(services, case, matter=matter, language=language, parties=parties)
        for language in {language_of(contact) for contact in people}
    }
    async with services.database.reading() as connection:
        of_contact, of_organisation = await read_speeds(
            connection,
            keys=[contact.key for contact in people],
            organisations=[contact.organisation for contact in people if contact.organisation],
            now=services.now(),
        )
    receiver = parties[0] if parties else None
    return AskPanel(
        offers={
            contact.key: AskOffer(
                ways=ways_of(contact, settings=services.settings),
                language=language_of(contact),
                text=texts[language_of(contact)],
                person=person_facts(receiver, is_masked=True) if may_know_person(contact.role, matter) else (),
            )
            for contact in people
        },
        speeds={
            contact.key: SpeedOf(
                contact=of_contact.get(contact.key),
                name=contact.organisation,
                organisation=of_organisation.get(contact.organisation or ""),
            )
            for contact in people
        },
        asks=asked,
    )
