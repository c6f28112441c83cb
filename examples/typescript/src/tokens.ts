// Tokens from Shop Keyring: signed requests, a copy in memory until shortly before each token ends.

import { Sha256 } from "@aws-crypto/sha256-js";
import type { defaultProvider } from "@aws-sdk/credential-provider-node";
import { SignatureV4 } from "@smithy/signature-v4";
import { setTimeout as sleep } from "node:timers/promises";

/** A token is fetched anew so long before it ends, in milliseconds. One that lasts longer (seconds) is asked for, so
 *  that what comes is kept, by a clock that is half a minute off as well. */
const MARGIN = 60_000;
const MIN_TTL = 90;
/** For so many seconds nobody is asked again about a connection that has no token to give. */
const REFUSED_FOR = 120;
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
  readonly api: { readonly base_url?: string; readonly app_key: string; readonly token_header?: string };
}

/** The keyring has no token to give. `code` is one of docs/errors.md, or tells what went wrong on the way. The same is
 *  not asked again until `notBefore`. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    detail: string,
    readonly notBefore = 0,
  ) {
    super(detail);
  }
}

/** Keep one for the whole process. */
export class Keyring {
  readonly #url: string;
  readonly #signer: SignatureV4;
  readonly #tokens = new Map<string, Token>();
  /** For each connection, by the version that was to be replaced, undefined for a lookup. */
  readonly #refusals = new Map<string, Map<number | undefined, Refused>>();
  readonly #fetches = new Map<string, Promise<Token>>();

  constructor(url: string, region: string, credentials: ReturnType<typeof defaultProvider>) {
    this.#url = url;
    this.#signer = new SignatureV4({ service: "execute-api", region, credentials, sha256: Sha256 });
  }

  /** The token of a connection; another one than the version that the marketplace has rejected, if there is one.
   *  Callers who need the same wait for one fetch. */
  async token(connection: string, rejectedVersion?: number): Promise<Token> {
    const known = this.#tokens.get(connection);
    if (isGood(known, rejectedVersion)) return known;
    this.#throwWhatIsRemembered(connection, rejectedVersion);
    const wanted = `${connection} ${rejectedVersion ?? ""}`;
    let fetch = this.#fetches.get(wanted);
    if (!fetch) {
      fetch = this.#fetch(connection, rejectedVersion).finally(() => this.#fetches.delete(wanted));
      this.#fetches.set(wanted, fetch);
    }
    return fetch;
  }

  async #fetch(connection: string, rejectedVersion?: number): Promise<Token> {
    const token = await this.#asked(connection, rejectedVersion);
    const known = this.#tokens.get(connection);
    // Perhaps another answer has overtaken this one.
    if (isGood(known, rejectedVersion) && known.version > token.version) return known;
    // Perhaps the marketplace does not take this version, and there is no other one yet.
    this.#throwWhatIsRemembered(connection, token.version);
    this.#refusals.delete(connection);
    this.#tokens.set(connection, token);
    return token;
  }

  async #asked(connection: string, rejectedVersion?: number): Promise<Token> {
    const path = `/v1/connections/${connection}`;
    try {
      if (rejectedVersion === undefined) return await this.#ask("GET", `${path}/token`, { min_ttl: `${MIN_TTL}` });
      return await this.#ask("POST", `${path}/refresh`, {}, { rejected_version: rejectedVersion });
    } catch (error) {
      if (error instanceof Refused) {
        const refusals = this.#refusals.get(connection) ?? new Map<number | undefined, Refused>();
        this.#refusals.set(connection, refusals.set(rejectedVersion, error));
        if (!isGood(this.#tokens.get(connection), rejectedVersion)) this.#tokens.delete(connection);
      }
      throw error;
    }
  }

  #throwWhatIsRemembered(connection: string, rejectedVersion?: number): void {
    const refused = this.#refusals.get(connection)?.get(rejectedVersion);
    if (refused && refused.notBefore > Date.now()) throw refused;
  }

  async #ask(method: string, path: string, query: Record<string, string>, body?: object): Promise<Token> {
    for (let attempt = 1; ; attempt++) {
      const request = await this.#signed(method, path, query, body);
      let refused: Refused;
      let wait: number | undefined = 2 ** attempt;
      try {
        const response = await fetch(request, { signal: AbortSignal.timeout(PATIENCE) });
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

  async #signed(method: string, path: string, query: Record<string, string>, body?: object): Promise<Request> {
    const url = new URL(this.#url + path);
    url.search = new URLSearchParams(query).toString();
    const request = {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port && { port: Number(url.port) }),
      // With the path of KEYRING_URL, if it has one.
      path: url.pathname,
      query,
      headers: { host: url.host, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    };
    try {
      // Temporary credentials are renewed by their provider; their session token is signed along.
      const { headers } = await this.#signer.sign(request);
      return new Request(url, { method, headers, ...(request.body && { body: request.body }) });
    } catch (error) {
      throw new Refused("not_signed", error instanceof Error ? error.name : "no reason given");
    }
  }
}

function isGood(token: Token | undefined, rejectedVersion?: number): token is Token {
  return !!token && token.version !== rejectedVersion && Date.parse(token.expires_at) - MARGIN > Date.now();
}

async function problem(response: Response): Promise<Refused> {
  const answer = (await response.json().catch(() => ({}))) as Record<string, string | undefined>;
  // API Gateway's own refusals have a `message` alone.
  const detail = answer.detail ?? answer.message ?? "no reason given";
  const seconds = [404, 409, 410].includes(response.status) ? REFUSED_FOR : (retryAfter(response) ?? 0);
  return new Refused(answer.code ?? `http_${response.status}`, detail, Date.now() + seconds * 1000);
}

/** Until the next attempt; undefined if another one is of no use. */
function secondsToWait(response: Response, attempt: number): number | undefined {
  if (![429, 500, 502, 503, 504].includes(response.status)) return undefined;
  return retryAfter(response) ?? 2 ** attempt;
}

function retryAfter(response: Response): number | undefined {
  const told = response.headers.get("retry-after");
  return told !== null && /^\d+$/.test(told) ? Number(told) : undefined;
}
