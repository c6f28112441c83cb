// Tokens from Shop Keyring: signed requests, a copy in memory until shortly before each token ends.

import { Sha256 } from "@aws-crypto/sha256-js";
import type { defaultProvider } from "@aws-sdk/credential-provider-node";
import { SignatureV4 } from "@smithy/signature-v4";
import { setTimeout as sleep } from "node:timers/promises";

/** A token is fetched anew so long before it ends, in milliseconds: as long as one is good for that is served
 *  (`min_ttl`). */
const MARGIN = 60_000;
/** How often a request is sent at most, and how many seconds are waited for the next time at most. */
const ATTEMPTS = 3;
const LONGEST_WAIT = 20;
/** The keyring answers within 20 seconds. */
const PATIENCE = 30_000;

export interface Token {
  readonly access_token: string;
  readonly version: number;
  readonly expires_at: string;
  readonly marketplace: "tiktok-shop" | "temu";
  readonly app: string;
  readonly api: { readonly base_url: string; readonly app_key: string; readonly token_header?: string };
}

/** The keyring has no token to give. `code` is one of docs/api.md. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }
}

/** Keep one for the whole process. */
export class Keyring {
  readonly #url: string;
  readonly #signer: SignatureV4;
  readonly #tokens = new Map<string, Token>();
  readonly #fetches = new Map<string, Promise<Token>>();

  constructor(url: string, region: string, credentials: ReturnType<typeof defaultProvider>) {
    this.#url = url;
    this.#signer = new SignatureV4({ service: "execute-api", region, credentials, sha256: Sha256 });
  }

  /** The token of a connection; another one than the version that the marketplace has rejected, if there is one.
   *  Callers who need the same wait for one fetch. */
  token(connection: string, rejectedVersion?: number): Promise<Token> {
    const known = this.#tokens.get(connection);
    if (known && known.version !== rejectedVersion && Date.parse(known.expires_at) - MARGIN > Date.now()) {
      return Promise.resolve(known);
    }
    const wanted = `${connection} ${rejectedVersion ?? ""}`;
    let fetch = this.#fetches.get(wanted);
    if (!fetch) {
      fetch = this.#fetch(connection, rejectedVersion).finally(() => this.#fetches.delete(wanted));
      this.#fetches.set(wanted, fetch);
    }
    return fetch;
  }

  async #fetch(connection: string, rejectedVersion?: number): Promise<Token> {
    this.#tokens.delete(connection);
    const path = `/v1/connections/${connection}`;
    const token =
      rejectedVersion === undefined
        ? await this.#ask("GET", `${path}/token`)
        : await this.#ask("POST", `${path}/refresh`, { rejected_version: rejectedVersion });
    this.#tokens.set(connection, token);
    return token;
  }

  async #ask(method: string, path: string, body?: object): Promise<Token> {
    for (let attempt = 1; ; attempt++) {
      let refused: Refused;
      let wait: number | undefined = 2 ** attempt;
      try {
        const response = await this.#send(method, path, body);
        if (response.ok) return (await response.json()) as Token;
        refused = await problem(response);
        wait = secondsToWait(response, attempt);
      } catch (error) {
        refused = new Refused("no_answer", error instanceof Error ? error.name : "no reason given");
      }
      if (wait === undefined || wait > LONGEST_WAIT || attempt === ATTEMPTS) throw refused;
      // Not all at the same moment.
      await sleep((wait + Math.random()) * 1000);
    }
  }

  async #send(method: string, path: string, body?: object): Promise<Response> {
    const { protocol, host, hostname, port } = new URL(this.#url);
    const request = {
      method,
      protocol,
      hostname,
      ...(port && { port: Number(port) }),
      path,
      headers: { host, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    };
    // Temporary credentials are renewed by their provider; their session token is signed along.
    const { headers } = await this.#signer.sign(request);
    const signal = AbortSignal.timeout(PATIENCE);
    return fetch(this.#url + path, { method, headers, signal, ...(request.body && { body: request.body }) });
  }
}

async function problem(response: Response): Promise<Refused> {
  const answer = (await response.json().catch(() => ({}))) as Record<string, string | undefined>;
  // API Gateway's own refusals have a `message` alone.
  const detail = answer.detail ?? answer.message ?? "no reason given";
  return new Refused(answer.code ?? `http_${response.status}`, detail);
}

/** Until the next attempt; undefined if another one is of no use. */
function secondsToWait(response: Response, attempt: number): number | undefined {
  if (![429, 500, 502, 503, 504].includes(response.status)) return undefined;
  const told = response.headers.get("retry-after");
  return told !== null && /^\d+$/.test(told) ? Number(told) : 2 ** attempt;
}
