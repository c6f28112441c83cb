// A lookup that was long on its way, overtaken by a refresh: says which versions are handed out.

const { Keyring } = await import(process.env.TOKENS);

let release;
const refreshed = new Promise((resolve) => (release = resolve));
globalThis.fetch = async (request) => {
  if (request.method === "GET") await refreshed;
  const version = request.method === "GET" ? 1 : 2;
  return Response.json({
    access_token: "token",
    version,
    expires_at: "2100-01-01T00:00:00Z",
    marketplace: "temu",
    app: "us",
    api: { app_key: "key" },
  });
};

const credentials = async () => ({ accessKeyId: "AKIDORDERHUB", secretAccessKey: "any" });
const keyring = new Keyring("http://keyring", "us-east-1", credentials);
const lookup = keyring.token("temu/us/1");
const second = await keyring.token("temu/us/1", 1);
release();
const late = await lookup;
console.log(second.version, late.version, (await keyring.token("temu/us/1")).version);
