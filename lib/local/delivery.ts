/** How an answer reaches the caller, or fails to: whole, broken off, as a reset, or never. */
import type { ServerResponse } from 'node:http';
import type { Answer } from './protocols/wire.ts';

export type Delivery =
  | { readonly how: 'whole'; readonly answer: Answer }
  | { readonly how: 'half'; readonly answer: Answer }
  | { readonly how: 'reset' }
  /** The connection stays open without an answer until the caller gives up. */
  | { readonly how: 'silence' };

/** Sends it; resolves with the bytes of body that were given to the socket. */
export async function deliver(response: ServerResponse, delivery: Delivery): Promise<number> {
  if (response.destroyed) return 0;
  if (delivery.how === 'reset') {
    response.socket?.resetAndDestroy();
    return 0;
  }
  if (delivery.how === 'silence') {
    await new Promise<void>((resolve) => response.once('close', () => resolve()));
    return 0;
  }
  const { answer } = delivery;
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, { ...answer.headers, 'content-length': body.length });
  if (delivery.how === 'half') {
    const half = body.subarray(0, body.length >> 1);
    await new Promise<void>((resolve) => response.write(half.length > 0 ? half : ' ', () => resolve()));
    response.destroy();
    return half.length;
  }
  await new Promise<void>((resolve) => {
    response.once('close', () => resolve());
    response.end(body, () => resolve());
  });
  return body.length;
}
