// Calls a marketplace for connections of the keyring: their names come by standard input, those of one line are called
// at the same time.
//
//     echo tiktok-shop/us/7010736057180325637 | npm start

import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { defaultProvider } from "@aws-sdk/credential-provider-node";
import { createInterface } from "node:readline";
import { AppSecrets, CallFailed, look, TokenRejected } from "./marketplaces.js";
import { Keyring, Refused } from "./tokens.js";

const WHAT_TO_DO: Record<string, string> = {
  connection_not_found: "the seller connects through a connect session",
  pending: "confirm the connect session",
  reauthorization_required: "send the seller through a connect session",
  disconnected: "forget the connection",
  refresh_failed: "try again later",
  check_failed: "try again later",
  storage_unavailable: "try again later",
};

async function call(keyring: Keyring, secrets: AppSecrets, connection: string): Promise<string> {
  let token = await keyring.token(connection);
  let seen: string;
  try {
    seen = await look(token, secrets);
  } catch (error) {
    if (!(error instanceof TokenRejected)) throw error;
    token = await keyring.token(connection, token.version);
    seen = await look(token, secrets);
  }
  return `${connection}: version ${token.version}, ${seen}`;
}

/** Why a call failed, in a few words. */
function explained(error: unknown): string {
  if (error instanceof Refused) {
    return `${error.code}, ${WHAT_TO_DO[error.code] ?? "see docs/errors.md"} (${error.message})`;
  }
  if (error instanceof TokenRejected) return "token_rejected, and the keyring has no other one";
  // An error's text may have the URL in it, and at other calls a URL may have secrets.
  const reason = error instanceof CallFailed ? error.message : error instanceof Error ? error.name : "no reason given";
  return `call_failed, ${reason}`;
}

function needed(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`Set ${name}`);
  return value;
}

const region = needed("AWS_REGION");
const keyring = new Keyring(needed("KEYRING_URL").replace(/\/$/, ""), region, defaultProvider());
const secrets = new AppSecrets(new SecretsManagerClient({ region }), process.env.SECRET_PREFIX ?? "shop-keyring");
for await (const line of createInterface({ input: process.stdin })) {
  const connections = line.split(/\s+/).filter((name) => name);
  const calls = await Promise.allSettled(connections.map((connection) => call(keyring, secrets, connection)));
  calls.forEach((outcome, at) => {
    if (outcome.status === "fulfilled") {
      console.log(outcome.value);
    } else {
      process.exitCode = 1;
      console.log(`${connections[at]}: ${explained(outcome.reason)}`);
    }
  });
}
