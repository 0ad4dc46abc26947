"""Receivers in four languages, as the page of a new secret shows them: each reads the secret from its environment and
verifies the raw body before it is parsed.

The recipe is Standard Webhooks' (https://www.standardwebhooks.com/): HMAC-SHA256 over `<id>.<timestamp>.<raw body>`
with the secret's bytes, which stand in base64 behind `whsec_`.
"""

from dataclasses import dataclass

# Where programs keep the secret. Its value is in none of the samples.
VARIABLE = "FIELDCAMP_WEBHOOK_SECRET"


@dataclass(frozen=True)
class CodeSample:
    key: str
    label: str
    code: str


PYTHON = f'''\
# pip install flask standardwebhooks
import os

from flask import Flask, request
from standardwebhooks import Webhook, WebhookVerificationError

app = Flask(__name__)
webhook = Webhook(os.environ["{VARIABLE}"])


@app.post("/hooks/fieldcamp")
def receive():
    try:
        event = webhook.verify(request.get_data(), dict(request.headers))
    except (WebhookVerificationError, ValueError):
        return "The signature does not match.", 400
    print(event["id"], event["type"])  # remember the id: an event may come twice
    return "", 204
'''
NODE = f"""\
// node receive.mjs: no package is needed
import {{ createHmac, timingSafeEqual }} from "node:crypto";
import {{ createServer }} from "node:http";

const secret = Buffer.from(process.env.{VARIABLE}.replace(/^whsec_/, ""), "base64");

function verify(headers, body) {{
  const id = headers["webhook-id"], time = headers["webhook-timestamp"];
  if (Math.abs(Date.now() / 1000 - Number(time)) > 300) return false;
  const expected = createHmac("sha256", secret).update(`${{id}}.${{time}}.`).update(body).digest();
  return (headers["webhook-signature"] ?? "").split(" ").some((item) => {{
    const given = Buffer.from(item.replace(/^v1,/, ""), "base64");
    return item.startsWith("v1,") && given.length === expected.length && timingSafeEqual(given, expected);
  }});
}}

createServer((request, response) => {{
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {{
    const body = Buffer.concat(parts); // the raw bytes: parsed and written anew they have another signature
    if (!verify(request.headers, body)) return response.writeHead(400).end();
    const event = JSON.parse(body);
    console.log(event.id, event.type); // remember the id: an event may come twice
    response.writeHead(204).end();
  }});
}}).listen(process.env.PORT ?? 8080);
"""
PHP = f"""\
<?php
$secret = base64_decode(preg_replace('/^whsec_/', '', getenv('{VARIABLE}')));
$body = file_get_contents('php://input'); // the raw bytes
$id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
$time = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
$expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$time.$body", $secret, true));

$valid = false;
foreach (explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '') as $given) {{
    $valid = hash_equals($expected, $given) || $valid;
}}
if (!$valid || abs(time() - (int) $time) > 300) {{
    http_response_code(400);
    exit;
}}
$event = json_decode($body, true);
error_log("{{$event['id']}} {{$event['type']}}"); // remember the id: an event may come twice
http_response_code(204);
"""
CURL = f"""\
# Sends your receiver an event that is signed as ours are (bash, openssl).
body='{{"id":"evt_test","type":"webhook.test"}}'
id=evt_test
time=$(date +%s)
key=$(printf %s "${{{VARIABLE}#whsec_}}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \\n')
signature=$(printf %s "$id.$time.$body" |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)
curl -i http://localhost:8080/hooks/fieldcamp -H 'content-type: application/json' \\
  -H "webhook-id: $id" -H "webhook-timestamp: $time" -H "webhook-signature: v1,$signature" --data-binary "$body"
"""
SAMPLES = (
    CodeSample("python", "Python", PYTHON),
    CodeSample("node", "Node", NODE),
    CodeSample("php", "PHP", PHP),
    CodeSample("curl", "curl", CURL),
)
