"""Examples of the reference for the money records: real shapes with made-up people."""

from typing import Any

_TIMES = {"createdAt": "2026-05-29T14:21:08.120000Z", "updatedAt": "2026-05-29T14:21:08.120000Z"}
_CLIENT = "cli_01HZX2Q8YV3D1G0N3WJ2P7K9ME"
ITEM: dict[str, Any] = {
    "id": "itm_01HZX2Q8YV3D1G0N3WJ2P7K9MG",
    "name": "Drain cleaning",
    "description": "Main line, up to 50 ft",
    "price": 167.5,
    "sku": None,
    "type": "service",
    "taxable": True,
    "isActive": True,
    **_TIMES,
}
TAX: dict[str, Any] = {
    "id": "tax_01HZX2Q8YV3D1G0N3WJ2P7K9MH",
    "name": "California",
    "rate": 0.08,
    "components": [{"name": "State", "rate": 0.0725}, {"name": "County", "rate": 0.0075}],
    "description": None,
    "isActive": True,
    **_TIMES,
}
INVOICE: dict[str, Any] = {
    "id": "inv_01HZX2Q8YV3D1G0N3WJ2P7K9MJ",
    "number": "1001",
    "clientId": _CLIENT,
    "date": "2026-05-29",
    "dueDate": "2026-06-28",
    "status": "partial",
    "deliveryStatus": "sent",
    "lines": [
        {
            "itemId": ITEM["id"],
            "description": "Main line, up to 50 ft",
            "quantity": 2,
            "unitPrice": 167.5,
            "taxable": True,
            "amount": 335,
        }
    ],
    "discountPercent": None,
    "discountAmount": None,
    "taxRateId": TAX["id"],
    "memo": "Thank you!",
    "subtotal": 335,
    "discountTotal": 0,
    "taxTotal": 26.8,
    "total": 361.8,
    "paid": 100,
    "deposit": 0,
    "balance": 261.8,
    "sentAt": "2026-05-29T14:22:00Z",
    "voidedAt": None,
    "voidReason": None,
    **_TIMES,
}
PAYMENT: dict[str, Any] = {
    "id": "pay_01HZX2Q8YV3D1G0N3WJ2P7K9MK",
    "clientId": _CLIENT,
    "amount": 100,
    "date": "2026-05-30",
    "method": "check",
    "reference": "2217",
    "notes": None,
    "allocations": [{"invoiceId": INVOICE["id"], "amount": 100}],
    "credited": 0,
    "appliedElsewhere": 0,
    "unapplied": 0,
    "madeIn": None,
    "voidedAt": None,
    **_TIMES,
}
NEW_ITEM = {name: ITEM[name] for name in ("name", "description", "price")}
NEW_TAX = {name: TAX[name] for name in ("name", "components")}
NEW_INVOICE = {
    **{name: INVOICE[name] for name in ("clientId", "dueDate", "taxRateId", "memo")},
    "lines": [{"itemId": ITEM["id"], "quantity": 2}],
}
NEW_PAYMENT = {name: PAYMENT[name] for name in ("clientId", "amount", "method", "reference", "allocations")}
