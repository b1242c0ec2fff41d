"use strict";
// What the door answers is data: it is put on the page as text, never as HTML.

const KEPT = "casper-key";
const at = (id) => document.getElementById(id);

/** An element with a class, and texts or other elements in it. */
function made(tag, className, ...inside) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...inside);
  return element;
}

// The key of the link that a local start prints: out of the address bar at once, so that no history keeps it.
const linked = new URLSearchParams(location.hash.slice(1)).get("key");
if (linked) {
  sessionStorage.setItem(KEPT, linked);
  history.replaceState(null, "", location.pathname);
}

class Refused extends Error {
  constructor(status, error, requestId) {
    super(error.hint ? `${error.message}: ${error.hint}` : error.message);
    this.status = status;
    this.requestId = requestId;
  }
}

/** What the door answers, with whether it was decided before. */
async function ask(path, options = {}) {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem(KEPT)}` };
  if (options.body) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { ...options, headers, cache: "no-store" });
  const body = await answer.json();
  if (!answer.ok) throw new Refused(answer.status, body.error, answer.headers.get("X-Request-Id"));
  return { body, replayed: answer.headers.get("Idempotent-Replayed") === "true" };
}

function told(error) {
  const where = error.requestId ? ` (request ${error.requestId})` : "";
  at("problem").textContent = error instanceof Refused ? `${error.message}${where}` : "The door cannot be reached.";
  at("problem").hidden = false;
}

function showReady() {
  fetch("/readyz", { cache: "no-store" })
    .then((answer) => answer.json())
    .then(({ ready, parts }) => {
      const waiting = Object.keys(parts).filter((part) => !parts[part]);
      at("ready").textContent = ready ? "ready" : `waits for ${waiting.join(", ")}`;
      at("ready").className = `pill ${ready ? "good" : "warn"}`;
    })
    .catch(() => {
      at("ready").textContent = "not reached";
      at("ready").className = "pill bad";
    });
}

function agentCard(agent) {
  const state = made("span", `pill ${agent.off ? "warn" : "good"}`, agent.off ? "off: goes to people" : "on");
  return made(
    "article", "card",
    made("div", "row", made("h3", "", agent.agent), state),
    made("p", "", agent.title || ""),
    made("p", "", `${agent.domain} · engine ${agent.engine} · version `, made("span", "id", agent.version)),
    made("p", "", `tools: ${agent.tools.join(", ")}`),
  );
}

async function showAgents() {
  const { agents } = (await ask("/v1/agents")).body;
  at("agents").replaceChildren(...agents.map(agentCard));
  at("agent").replaceChildren(...agents.map((agent) => made("option", "", agent.agent)));
  if (!agents.length) at("agents").append(made("p", "muted", "No agent is served."));
}

const KINDS = { approved: "good", clipped: "warn", queued: "warn", refused: "bad" };

function field(name, value) {
  return [made("dt", "", name), made("dd", "", String(value))];
}

function decisionShown({ body, replayed }) {
  const row = body.decision || body;
  const kind = KINDS[row.gate_action] || "";
  const amount = Number(row.amount) ? `, ${row.amount}` : "";
  const said = [row.outcome, "", null];
  const texts = Object.entries(row.final || {}).filter(([, value]) => typeof value !== "object" && !said.includes(value));
  return made(
    "article", `verdict ${kind}`,
    made("h3", "", `${row.agent}: ${String(row.outcome).replaceAll("_", " ")}${amount}`),
    made("span", `pill ${kind}`, row.gate_action),
    ...(replayed ? [made("span", "pill", "decided before")] : []),
    ...(row.gate_reasons || []).map((reason) => made("span", "pill", reason)),
    made(
      "dl", "",
      ...field("case", row.case_id),
      ...field("as of", `${row.case_ts.replace("T", " ").slice(0, 19)} UTC, simulated`),
      ...texts.flatMap(([name, value]) => field(name.replaceAll("_", " "), value)),
      ...(row.final ? [] : field("final", row.gate_action === "queued" ? "a person decides" : "nothing is done")),
      ...field("decided by", `${row.agent} ${row.agent_version}, engine ${row.engine}`),
      ...field("decision", row.decision_id),
    ),
    made("details", "", made("summary", "", "the whole row"), made("pre", "", JSON.stringify(row, null, 2))),
  );
}

async function decide(event) {
  event.preventDefault();
  at("problem").hidden = true;
  at("decide").disabled = true;
  try {
    const path = `/v1/agents/${encodeURIComponent(at("agent").value)}/decisions`;
    const answer = await ask(path, { method: "POST", body: JSON.stringify({ subject: at("subject").value.trim() }) });
    at("decision").replaceChildren(decisionShown(answer));
  } catch (error) {
    at("decision").replaceChildren();
    told(error);
  } finally {
    at("decide").disabled = false;
    setTimeout(showAudit, 1500); // events of refusals are kept within a second
  }
}

function auditRow(event) {
  const status = made("td", event.status < 400 ? "good" : "bad", String(event.status));
  const when = new Date(event.at).toLocaleTimeString();
  const cells = [when, event.principal || "nobody", event.role, event.action, status, event.outcome, event.agent, event.case_id];
  return made("tr", "", ...cells.map((cell) => (cell instanceof Node ? cell : made("td", "", cell || "–"))));
}

/** The newest events, for those who may see them; for others the part is not there. */
async function showAudit() {
  try {
    const { events } = (await ask("/v1/audit?newest=12")).body;
    at("audit").replaceChildren(...events.map(auditRow));
    at("audit-section").hidden = false;
  } catch (error) {
    at("audit-section").hidden = true;
  }
}

function showCurl() {
  at("curl").textContent = [
    "read -rs CASPER_KEY   # paste the key: so it is in no history",
    `curl -s ${location.origin}/v1/agents -H "Authorization: Bearer $CASPER_KEY"`,
    `curl -s ${location.origin}/v1/agents/refund/decisions -H "Authorization: Bearer $CASPER_KEY" \\`,
    `     -H "Content-Type: application/json" -H "Idempotency-Key: $(uuidgen)" -d '{"subject": "ORDER ID"}'`,
  ].join("\n");
}

async function enter() {
  const known = Boolean(sessionStorage.getItem(KEPT));
  at("key-section").hidden = known;
  at("key-known").hidden = !known;
  at("inside").hidden = !known;
  if (!known) return;
  at("problem").hidden = true;
  try {
    await showAgents();
    await showAudit();
  } catch (error) {
    if (error instanceof Refused && error.status === 401) forget();
    told(error);
  }
}

function forget() {
  sessionStorage.removeItem(KEPT);
  at("decision").replaceChildren();
  enter();
}

at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEPT, at("key").value.trim());
  at("key").value = "";
  enter();
});
at("forget").addEventListener("click", forget);
at("decide-form").addEventListener("submit", decide);
at("audit-again").addEventListener("click", showAudit);
showCurl();
showReady();
enter();
