/**
 * The shop: a small HTTP service that can be released broken. It runs as a task of the local cloud, so it is
 * a process of its own with real sockets; `FAULT` begins once `FAULT_AFTER` requests were answered.
 */
import { createServer } from 'node:http';

const version = process.env.VERSION ?? 'v0';
const fault = process.env.FAULT ?? 'none';
const faultAfter = Number(process.env.FAULT_AFTER ?? 0);
const port = Number(process.env.PORT);
const books = ['Dune', 'Solaris', 'Ubik', 'Roadside Picnic'];
let answeredCount = 0;

/** Times of a real shop: a median of 20 ms and a tail, lognormal. */
const browsingMs = (): number => {
  const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return 20 * Math.exp(0.5 * normal);
};

const server = createServer((request, response) => {
  if (request.url === '/health') {
    response.writeHead(200).end('ok');
    return;
  }
  const turn = answeredCount++;
  const broken = turn >= faultAfter;
  if (broken && fault === 'crash') process.exit(1);
  // Orders go to a warehouse that is down, whichever version asks it.
  const failing = (broken && fault === 'errors' && turn % 3 !== 0) || request.url === '/orders';
  const delayMs = browsingMs() + (broken && fault === 'latency' ? 2000 : 0);
  setTimeout(() => {
    response.writeHead(failing ? 500 : 200, {
      'content-type': 'application/json',
      'x-shop-version': version,
    });
    response.end(
      JSON.stringify(failing ? { error: 'the cart is lost' } : { version, book: books[turn % books.length] }),
    );
  }, delayMs);
});
server.keepAliveTimeout = 60_000;
server.listen(port, '127.0.0.1');
// The balancer has stopped sending by now; what is under way is answered.
process.once('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
