// Sends one call of each type and some more with a published SDK, waits until it has sent them, prints what it sent.
// node send.mjs segment|rudder URL WRITE_KEY [gzip]
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const [, , sdk, url, writeKey, gzip] = process.argv;

const calls = [
  ["identify", { userId: "u-1", traits: { name: "Nguyễn Văn Á", email: "a@example.vn" } }],
  ["track", { userId: "u-1", event: "Order Completed", properties: { total: 10.5, products: [{ sku: "s-1" }] } }],
  ["track", { anonymousId: "anon-1", event: "Seen" }],
  ["page", { userId: "u-1", category: "Docs", name: "Home", properties: { url: "https://shop.example/" } }],
  ["screen", { userId: "u-1", name: "Main" }],
  ["group", { userId: "u-1", groupId: "g-1", traits: { name: "Acme" } }],
  ["alias", { userId: "u-1", previousId: "anon-1" }],
  ...Array.from({ length: 60 }, (_, number) => ["track", { userId: `u-${number % 7}`, event: "Clicked", properties: { number } }]),
];

async function segment() {
  const { Analytics } = require("@segment/analytics-node");
  const analytics = new Analytics({ writeKey, host: url, flushAt: 20, flushInterval: 100, maxRetries: 3 });
  const problems = [];
  analytics.on("error", (error) => problems.push(String(error.reason ?? error.code)));
  const sent = await Promise.all(
    calls.map(
      ([type, options]) =>
        new Promise((resolve) =>
          analytics[type](options, (error, context) => resolve(error ? { error: String(error) } : context.event)),
        ),
    ),
  );
  await analytics.closeAndFlush();
  return { sent, problems };
}

async function rudder() {
  const RudderAnalytics = require("@rudderstack/rudder-sdk-node");
  const analytics = new RudderAnalytics(writeKey, {
    dataPlaneUrl: url,
    flushAt: 20,
    flushInterval: 100,
    gzip: gzip === "gzip",
    logLevel: "off",
  });
  const problems = [];
  const sent = [];
  const finished = calls.map(
    ([type, options], number) =>
      new Promise((resolve) => {
        const message = { ...options, messageId: `rudder-${number}` };
        sent.push({ ...message, type });
        analytics[type](message, (error) => {
          if (error) problems.push(String(error));
          resolve();
        });
      }),
  );
  await Promise.all(finished);
  await analytics.flush();
  return { sent, problems };
}

const result = await (sdk === "segment" ? segment() : rudder());
process.stdout.write(JSON.stringify(result), () => process.exit(0));
