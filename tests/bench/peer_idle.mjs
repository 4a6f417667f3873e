// peer_idle.mjs MODULES PORT CA USER PASSWORD: waiting with imapflow as its
// users write it; one JSON line a message.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [modules, port, ca, user, pass] = process.argv.slice(2);
const { ImapFlow } = createRequire(modules + "/")("imapflow");
const client = new ImapFlow({
	host: "localhost",
	port: Number(port),
	secure: true,
	auth: { user, pass },
	tls: { ca: readFileSync(ca) },
	logger: false,
});
const print = (x) => process.stdout.write(JSON.stringify(x) + "\n");

await client.connect();
await client.mailboxOpen("INBOX", { readOnly: true });
let top = client.mailbox.uidNext;
let asked = Promise.resolve();

async function read() {
	const query = { uid: true, envelope: true, bodyParts: ["text"] };

	for await (const m of client.fetch(`${top}:*`, query, { uid: true })) {
		if (m.uid < top)
			continue;
		top = m.uid + 1;
		print({
			id: m.envelope.messageId,
			from: m.envelope.from,
			text: m.bodyParts.get("text").toString(),
		});
	}
}

client.on("exists", () => {
	asked = asked.then(read);
});
client.on("error", (e) => {
	console.error(e.message);
	process.exit(1);
});
// It idles by itself when it has been quiet; here at once.
print("ready");
for (;;)
	await client.idle();
