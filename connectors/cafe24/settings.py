"""The ``[shop.credentials]`` table of a Cafe24 mall."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from hub.core.connector_settings import ConnectorCredentials

#: Newest version whose text this connector was written from. A version lives at most one year after
#: the next one, then Cafe24 silently replaces it (Cafe24 Admin API, versioning; confidence: sure).
API_VERSION = "2026-03-01"

ShopNo = Annotated[int, Field(ge=1)]


class BoardSetting(BaseModel):
    """One board to read as inquiries, where the discovery by board type does not fit the mall."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    no: Annotated[int, Field(ge=1)]
    kind: Literal["product_inquiry", "order_inquiry"]
    answers_by: Literal["post", "comment"] = "post"
    """How this board is answered: a post below the question, or a comment (댓글) as some malls do."""


class Cafe24Credentials(ConnectorCredentials):
    mall_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$")]
    """The mall's id: the first part of its cafe24api.com address."""

    client_id: str
    """Of the app in the Cafe24 developer centre."""

    client_secret: SecretStr

    refresh_token: SecretStr | None = None
    """Only the seed: it rotates with each use, the newest one lives in the hub's own secret store. Absent: the
    mall's owner consents on the shop's page of the desk."""

    shop_no: tuple[ShopNo, ...] = (1,)
    """Shop numbers of the mall to read (multi-shop); a single number is accepted too."""

    api_version: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] = API_VERSION
    """Sent as X-Cafe24-Api-Version."""

    webhook_key: SecretStr | None = None
    """Key of the app's webhook settings, sent as X-API-Key. Absent: events are refused."""

    boards: tuple[BoardSetting, ...] = ()
    """Boards to read; empty finds them by type: 5 product questions, 7 one-to-one questions."""

    writer: str | None = None
    """Name shown on answers; the agent's name or the mall id when absent."""

    @field_validator("shop_no", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, int | str) else value

    @field_validator("shop_no")
    @classmethod
    def _distinct(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value:
            raise ValueError("at least one shop number is needed")
        return tuple(dict.fromkeys(value))

    def answers_by_comment(self, board_no: int) -> bool:
        return any(board.no == board_no and board.answers_by == "comment" for board in self.boards)

    @property
    def default_base_url(self) -> str:
        return f"https://{self.mall_id}.cafe24api.com"
