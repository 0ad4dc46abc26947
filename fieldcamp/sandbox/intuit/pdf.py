"""`GET /<segment>/<id>/pdf`: a sale or a payment as a document that can be printed.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice ("Get an invoice as PDF")
"""

from collections.abc import Iterator

from fieldcamp.sandbox.http import Response
from fieldcamp.sandbox.intuit import allocations, errors, line_sums
from fieldcamp.sandbox.intuit.amounts import decimal
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body, Entity
from fieldcamp.sandbox.intuit.line_kinds import DISCOUNT, GROUP, SALES
from fieldcamp.sandbox.intuit.store import Stored

PRINTED = ("Invoice", "CreditMemo", "Estimate", "SalesReceipt", "RefundReceipt", "Payment")
ROWS, LEFT, TOP, STEP, SIZE = 46, 56, 780, 16, 11


def answer(books: Books, entity: Entity, object_id: str) -> Response:
    """The document of an object."""
    if entity.name not in PRINTED:
        raise errors.unsupported(f"pdf of {entity.name}")
    stored = books.get(entity.name, object_id)
    if stored is None:
        raise errors.not_found(entity.is_list)
    response = Response(200, written(list(_rows(books, stored))))
    response.headers["Content-Type"] = "application/pdf"
    return response


def written(rows: list[str]) -> bytes:
    """A PDF of these lines of text, page after page."""
    pages = [rows[at : at + ROWS] for at in range(0, len(rows), ROWS)] or [[]]
    first = 4  # of the numbers of pages and their contents; before them stand catalogue, list of pages and font
    kids = " ".join(f"{first + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for n, page in enumerate(pages):
        content = _content(page)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 842] /Resources << /Font << /F1 3 0 R >> >> "
            + f"/Contents {first + 2 * n + 1} 0 R >>".encode()
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream")
    return _file(objects)


def _content(rows: list[str]) -> bytes:
    text = "".join(f"({_escaped(row)}) Tj T*\n" for row in rows)
    return f"BT /F1 {SIZE} Tf {STEP} TL {LEFT} {TOP} Td\n{text}ET".encode("cp1252", "replace")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)").replace("\n", " ").replace("\r", "")


def _file(objects: list[bytes]) -> bytes:
    """The objects with the table of where each begins."""
    out, places = bytearray(b"%PDF-1.4\n"), []
    for n, each in enumerate(objects, 1):
        places.append(len(out))
        out += f"{n} 0 obj\n".encode() + each + b"\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    end += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return bytes(out) + end.encode()


def _rows(books: Books, stored: Stored) -> Iterator[str]:
    body = stored.body
    title = "".join(f" {char}" if char.isupper() else char for char in stored.type).strip()
    yield books.the("CompanyInfo").body["CompanyName"]
    yield f"{title} {body.get('DocNumber', body.get('PaymentRefNum', ''))}".strip()
    if "CustomerRef" in body:
        yield books.label("Customer", body["CustomerRef"]["value"])
    yield f"Date {body.get('TxnDate', '')}"
    if "DueDate" in body:
        yield f"Due {body['DueDate']}"
    yield ""
    if stored.type == "Payment":
        for invoice, amount in allocations.of(body).items():
            yield f"Invoice {books.the('Invoice', invoice).body.get('DocNumber', '')}   {amount:,.2f}"
    else:
        yield from _sold(books, body)
    yield ""
    tax = decimal(body.get("TxnTaxDetail", {}).get("TotalTax"))
    if tax:
        yield f"Tax   {tax:,.2f}"
    yield f"Total   {decimal(body.get('TotalAmt')):,.2f}"
    if "Balance" in body:
        yield f"Balance due   {decimal(body['Balance']):,.2f}"
    if "CustomerMemo" in body:
        yield body["CustomerMemo"].get("value", "")


def _sold(books: Books, body: Body) -> Iterator[str]:
    for line in body.get("Line", []):
        kind, amount = line.get("DetailType"), decimal(line.get("Amount"))
        if kind == DISCOUNT:
            yield f"Discount   -{amount:,.2f}"
        elif kind in (SALES, GROUP) or "Description" in line:
            name = books.label("Item", line.get(SALES, {}).get("ItemRef", {}).get("value", ""))
            words = line.get("Description") or name or line_sums.charge_of(line)
            many = (
                f"   {line[SALES]['Qty']} x {line[SALES].get('UnitPrice', 0)}" if "Qty" in line.get(SALES, {}) else ""
            )
            yield f"{words}{many}" + (f"   {amount:,.2f}" if "Amount" in line else "")
