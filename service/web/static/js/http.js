// Requests to our own site: the form token, what we can read, and one kind of failure.
const token = () => document.querySelector("[name=csrf]")?.value ?? document.querySelector("[data-csrf]")?.dataset.csrf ?? "";

// Resolves to {status, body}; status 0 means that the site was not reached.
export async function send(method, address, { json, form, version, accept = "application/json" } = {}) {
  const headers = { Accept: accept, "X-CSRF": token() };
  if (json) headers["Content-Type"] = "application/json";
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  const answer = await fetch(address, { method, headers, body: json ? JSON.stringify(json) : form }).catch(() => null);
  if (!answer) return { status: 0, body: null };
  const kind = answer.headers.get("Content-Type") ?? "";
  const body = answer.status === 204 ? null : kind.includes("json") ? await answer.json() : await answer.text();
  return { status: answer.status, body };
}

// Markup from our own server as nodes: parsed without running anything.
export const nodes = (html) => [...new DOMParser().parseFromString(html, "text/html").body.childNodes];
