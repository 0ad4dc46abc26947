// An integrator's program on the types that are generated of the reference: it adds a visit, syncs, follows the job and
// the change feed, bills, and reads what waits for somebody. BASE_URL and KEY are the environment's.
import createClient from "openapi-fetch";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { components, paths } from "./schema.js";

const LONGEST = 120_000; // milliseconds that a job may take
const OVER = ["succeeded", "partial", "failed", "cancelled"];

const api = createClient<paths>({
  baseUrl: process.env.BASE_URL!,
  headers: { Authorization: `Bearer ${process.env.KEY}` },
});

/** The answer of a call that has to succeed. */
function done<T>(answer: { data?: T; error?: components["schemas"]["Error"]; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

/** Syncs, and waits for the end; one that is running already may have missed what was just written. */
async function sync(): Promise<string> {
  const ends = Date.now() + LONGEST;
  while (done(await api.GET("/api/v1/integrations/google-calendar/status")).active_job_id && Date.now() < ends) {
    await sleep(500);
  }
  const started = done(
    await api.POST("/api/v1/integrations/google-calendar/sync", {
      params: { header: { "Idempotency-Key": randomUUID() } },
      body: {},
    })
  );
  let tag = "none";
  let status = "";
  while (Date.now() < ends && !OVER.includes(status)) {
    const answer = await api.GET("/api/v1/integrations/jobs/{job_id}", {
      params: { path: { job_id: started.job_id }, header: { "If-None-Match": tag } },
    });
    tag = answer.response.headers.get("ETag") ?? tag;
    if (answer.response.status !== 304) status = done(answer).status;
    await sleep(300);
  }
  if (!OVER.includes(status)) throw new Error(`The job is ${status}.`);
  return status;
}

const state = done(await api.GET("/api/v1/integrations/google-calendar/status"));
const technician = state.connections.find((row) => row.state === "active")?.member ?? null;
const since = new Date(Date.now() - 86_400_000).toISOString();

const client = done(
  await api.POST("/api/v1/clients", { body: { firstName: "Ada", lastName: `Hill ${randomUUID().slice(0, 6)}` } })
).data;
const path = { record_id: client.id };
const tag = (await api.GET("/api/v1/clients/{record_id}", { params: { path } })).response.headers.get("ETag")!;
const edit = { params: { path, header: { "If-Match": tag } }, body: { email: "ada@example.com" } };
done(await api.PATCH("/api/v1/clients/{record_id}", edit));
const stale = await api.PATCH("/api/v1/clients/{record_id}", edit);
if (stale.error?.error.code !== "PRECONDITION_FAILED") throw new Error("A stale tag was taken.");

const start = new Date(Date.now() + 2 * 86_400_000).toISOString();
const visit = done(
  await api.POST("/api/v1/visits", {
    params: { header: { "Idempotency-Key": randomUUID() } },
    body: { clientId: client.id, technicianId: technician, title: "By a client", scheduledStart: start },
  })
).data;
console.log("job", await sync());

let page = done(await api.GET("/api/v1/integrations/google-calendar/sync", { params: { query: { since } } }));
while (page.next_cursor) {
  const query = { cursor: page.next_cursor };
  page = done(await api.GET("/api/v1/integrations/google-calendar/sync", { params: { query } }));
}
const later = { cursor: page.resume_cursor, refresh: true, wait: 1 };
page = done(await api.GET("/api/v1/integrations/google-calendar/sync", { params: { query: later } }));
console.log("feed as of", page.as_of);

const item = done(
  await api.POST("/api/v1/items", { body: { name: `Call-out ${randomUUID().slice(0, 6)}`, price: 95 } })
).data;
const invoice = done(
  await api.POST("/api/v1/invoices", { body: { clientId: client.id, lines: [{ itemId: item.id, quantity: 2 }] } })
).data;
console.log("invoice", invoice.number, invoice.total);
done(await api.DELETE("/api/v1/invoices/{record_id}", { params: { path: { record_id: invoice.id } } }));

const open = done(
  await api.GET("/api/v1/integrations/problems", { params: { query: { state: "open", limit: 5 } } })
).problems;
for (const problem of open) console.log(problem.code, problem.title, problem.choices.map((choice) => choice.id));

done(await api.DELETE("/api/v1/visits/{record_id}", { params: { path: { record_id: visit.id } } }));
