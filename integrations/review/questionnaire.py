"""Answers that are prepared for the vendors' forms. Each stands on rows, and is withheld while one of them fails."""

from integrations.review.table import PreparedAnswer

INTUIT_ANSWERS = (
    PreparedAnswer(
        "Have you tested connecting, disconnecting and reconnecting?",
        "Yes, twice over by script; disconnecting in QuickBooks leads to a page without a login.",
        ("Q1", "G1", "I2.3"),
    ),
    PreparedAnswer(
        "How often do you refresh access tokens?",
        "Only when the access token has ended. The new refresh token is stored before it is used.",
        ("Q2",),
    ),
    PreparedAnswer(
        "Do you retry authorization requests that failed?",
        "Yes. A failing token endpoint is tried again; nobody is disconnected by it.",
        ("Q3",),
    ),
    PreparedAnswer(
        "If the authorization persistently fails, do you ask the customer to reconnect?",
        "Yes: on the dashboard's card, in the API's status, and by mail to owners and admins.",
        ("Q3", "Q5"),
    ),
    PreparedAnswer(
        "Do you use Intuit's discovery document for the latest endpoints?",
        "Yes, with the documented addresses as fallback.",
        ("Q4",),
    ),
    PreparedAnswer(
        "Can your app handle expired access tokens, expired refresh tokens, invalid grants and CSRF errors?",
        "Yes, each with a sentence of its own; a consent with a foreign state changes nothing.",
        ("Q5", "S5.csrf", "S5.consent"),
    ),
    PreparedAnswer("Does your app rely on the OAuth playground or another offline tool?", "No.", ("Q1",)),
    PreparedAnswer(
        "What happens when a company changes its version of QuickBooks Online?",
        "What is to be written waits and a card says why; it is written after the plan allows it again.",
        ("Q6",),
    ),
    PreparedAnswer("Do you use change data capture?", "Yes, once in a sync.", ("G4",)),
    PreparedAnswer(
        "Does your app handle syntax and validation errors?",
        "Yes. Each refusal is a problem at the desk with a sentence and a way out; other records go on.",
        ("Q9",),
    ),
    PreparedAnswer(
        "Do you capture intuit_tid, and can you share logs?",
        "Yes. Each job's page has an export of its calls with intuit_tid, without customers' data, kept for 30 days.",
        ("Q10", "G13"),
    ),
    PreparedAnswer(
        "Is there a way to contact support from within the app?",
        "Yes, on every page, error page and mail, with the id of the request or job.",
        ("Q11",),
    ),
    PreparedAnswer(
        "Where are client id, client secret and tokens kept?",
        "The app's credentials in the environment; tokens and realm ids encrypted in the database, with keys that are "
        "not in it. None of them is in code or pages.",
        ("Q12", "S7", "S8", "G2"),
    ),
    PreparedAnswer(
        "Do you use multi-factor authentication, captcha or WebSocket?",
        "Multi-factor authentication: authenticator apps and passkeys with recovery codes, which a company can demand. "
        "No captcha; tries to sign in are slowed down. No WebSocket.",
        ("G5",),
    ),
    PreparedAnswer(
        "Is QuickBooks data shared with others or used for anything else?",
        "No. API keys belong to the company itself and need a scope for money; no model is trained on the data.",
        ("S10", "G7"),
    ),
)
