// One signed call at each marketplace, with a token from the keyring and the app's secret.

import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { createHash, createHmac } from "node:crypto";
import type { Token } from "./tokens.js";

const PATIENCE = 30_000;

/** The marketplace does not take the token. */
export class TokenRejected extends Error {}

/** The call failed, and not for the token. */
export class CallFailed extends Error {}

/** The call is not signed as the marketplace expects: with the app's secret of before, perhaps. */
export class SignRejected extends CallFailed {}

/** What calls are signed with: read from Secrets Manager once for each app, and kept in memory. */
export class AppSecrets {
  readonly #secrets = new Map<string, Promise<string>>();

  constructor(
    private readonly client: SecretsManagerClient,
    private readonly prefix: string,
  ) {}

  /** The secret of the token's app; read again if the one in memory is the rejected one. */
  async of(token: Token, rejected?: string): Promise<string> {
    const appKey = token.api.app_key;
    const known = this.#secrets.get(appKey);
    if (known && (rejected === undefined || (await known) !== rejected)) return known;
    // Who needs the same waits for one reading.
    const newer = this.#secrets.get(appKey);
    if (newer && newer !== known) return newer;
    const secret = this.#read(`${this.prefix}/apps/${token.marketplace}/${token.app}`, appKey);
    secret.catch(() => this.#secrets.delete(appKey));
    this.#secrets.set(appKey, secret);
    return secret;
  }

  async #read(name: string, appKey: string): Promise<string> {
    const { SecretString } = await this.client.send(new GetSecretValueCommand({ SecretId: name }));
    const secret = JSON.parse(SecretString ?? "{}") as { app_key?: string; app_secret?: string };
    if (secret.app_key !== appKey || !secret.app_secret) {
      throw new CallFailed(`${name} is the secret of another app key than the token's`);
    }
    return secret.app_secret;
  }
}

/** What a token opens, in a few words. */
export async function look(token: Token, secrets: AppSecrets): Promise<string> {
  if (token.api.base_url === undefined) {
    const app = `${token.marketplace}/${token.app}`;
    throw new CallFailed(`the keyring does not know the app ${app} any more: there is no api.base_url`);
  }
  const lookAt = token.marketplace === "temu" ? mallAtTemu : shopsAtTikTokShop;
  const appSecret = await secrets.of(token);
  try {
    return await lookAt(token, token.api.base_url, appSecret);
  } catch (error) {
    if (!(error instanceof SignRejected)) throw error;
    // Once: the secret may have been changed since it was read.
    return lookAt(token, token.api.base_url, await secrets.of(token, appSecret));
  }
}

async function shopsAtTikTokShop(token: Token, baseUrl: string, appSecret: string): Promise<string> {
  const path = "/authorization/202309/shops";
  const { app_key, token_header = "x-tts-access-token" } = token.api;
  const query: Record<string, string> = { app_key, timestamp: String(Math.floor(Date.now() / 1000)) };
  query.sign = signForTikTokShop(appSecret, path, query);
  const headers = { [token_header]: token.access_token, "content-type": "application/json" };
  const answer = await ask(`${baseUrl}${path}?${new URLSearchParams(query)}`, { headers });
  // 36009004 is said of many things; of the token in several spellings.
  const namesToken = /access[-_ ]token/i.test(String(answer.message));
  if (answer.code === 105001 || answer.code === 105002 || (answer.code === 36009004 && namesToken)) {
    throw new TokenRejected();
  }
  const failed = `TikTok Shop answered ${answer.code}, request ${answer.request_id}`;
  if (answer.code === 106001) throw new SignRejected(failed);
  if (answer.code !== 0) throw new CallFailed(failed);
  return `shops ${answer.data.shops.map((shop: { id: string }) => shop.id).join(" ")}`;
}

export function signForTikTokShop(appSecret: string, path: string, query: Record<string, string>, body = ""): string {
  const counted = Object.keys(query).filter((key) => key !== "sign" && key !== "access_token");
  const parameters = counted.sort().map((key) => key + query[key]);
  const text = [appSecret, path, ...parameters, body, appSecret].join("");
  return createHmac("sha256", appSecret).update(text).digest("hex");
}

async function mallAtTemu(token: Token, baseUrl: string, appSecret: string): Promise<string> {
  const call: Record<string, unknown> = {
    type: "bg.open.accesstoken.info.get",
    app_key: token.api.app_key,
    access_token: token.access_token,
    timestamp: Math.floor(Date.now() / 1000),
    data_type: "JSON",
  };
  call.sign = signForTemu(appSecret, call);
  const headers = { "content-type": "application/json" };
  const answer = await ask(baseUrl, { method: "POST", headers, body: JSON.stringify(call) });
  // Unknown, expired or replaced, not authorized any more.
  if ([3000030, 3000031, 3000034, 5000000].includes(answer.errorCode)) throw new TokenRejected();
  const failed = `Temu answered ${answer.errorCode}, request ${answer.requestId}`;
  if (answer.errorCode === 3000001) throw new SignRejected(failed);
  if (!answer.success) throw new CallFailed(failed);
  return `mall ${answer.result.mallId}`;
}

export function signForTemu(appSecret: string, call: Record<string, unknown>): string {
  const counted = Object.keys(call).filter((key) => key !== "sign");
  const parameters = counted.sort().map((key) => {
    const value = call[key];
    return key + (typeof value === "string" ? value : JSON.stringify(value));
  });
  const text = [appSecret, ...parameters, appSecret].join("");
  return createHash("md5").update(text).digest("hex").toUpperCase();
}

async function ask(url: string, request: RequestInit): Promise<any> {
  const response = await fetch(url, { ...request, signal: AbortSignal.timeout(PATIENCE) });
  const answer: unknown = await response.json().catch(() => undefined);
  // A marketplace in trouble says nothing of the token.
  if (response.status === 429 || response.status >= 500 || typeof answer !== "object" || answer === null) {
    throw new CallFailed(`the marketplace answered with HTTP ${response.status}`);
  }
  return answer;
}
