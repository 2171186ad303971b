"""Formulas without a result: the reader of workbooks leaves such a cell empty, here it says what is wrong with it.

Source: ECMA-376 part 1, 18.3.1.4 (cell types) and 18.3.1.40 (formula); confidence: sure.
"""

import io
import re
import zipfile
from typing import Final

#: what a spreadsheet shows where a formula failed
ERRORS: Final = frozenset(
    {
        *("#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!"),
        *("#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#CONNECT!", "#BUSY!", "#UNKNOWN!", "#GETTING_DATA"),
    }
)
#: a part of a workbook in which one of these stands is looked at closely
MARKS: Final = (b't="e"', b"</f></c>", b"</f><v></v>", b"</f><v/>", b"</f><v />")
_FAILED: Final = re.compile(rb'(<c\b[^<>]*\bt=")e(")')
# Programs that write files leave the result to whoever opens them. A text result may be empty and is one.
_NOT_DONE: Final = re.compile(rb'<c\b((?:(?!\bt=")[^<>])*)>(<f\b[^<>]*>[^<]*</f>)(?:<v\s*/>|<v></v>)?</c>')
_DONE: Final = rb'<c\1 t="str">\2<v>#VALUE!</v></c>'
_PIECE: Final = 1 << 20


def with_errors_as_text(body: bytes) -> bytes:
    """The same workbook with the error's name in each cell of a formula that has no result."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as archive, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as told:
        for part in archive.infolist():
            with archive.open(part) as source, told.open(part.filename, "w") as target:
                rest = b""
                while piece := source.read(_PIECE):
                    # Cells are mended whole: what is not closed yet waits for the next piece.
                    end = (piece := rest + piece).rfind(b"</c>") + len(b"</c>")
                    cut = end if end >= len(b"</c>") else len(piece)
                    target.write(_mended(piece[:cut]))
                    rest = piece[cut:]
                target.write(_mended(rest))
    return out.getvalue()


def _mended(piece: bytes) -> bytes:
    return _NOT_DONE.sub(_DONE, _FAILED.sub(rb"\1str\2", piece))
