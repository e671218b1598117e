/** Checkpoints and tokens over the wire. */
import type { Consumers, Tokens } from '../ports.ts';
import type { Instance } from './instance.ts';
import type { Wire } from './wire.ts';

export const wiredConsumers = (wire: Wire, who: Instance, inner: Consumers): Consumers => ({
  checkpoint: (consumer, stream) =>
    wire.call(who, 'consumers.checkpoint', () => inner.checkpoint(consumer, stream)),
  advance: (consumer, stream, from, to) =>
    wire.call(who, 'consumers.advance', () => inner.advance(consumer, stream, from, to)),
  failed: (consumer, stream, version, why) =>
    wire.call(who, 'consumers.failed', () => inner.failed(consumer, stream, version, why)),
  unpark: (consumer, stream) => wire.call(who, 'consumers.unpark', () => inner.unpark(consumer, stream)),
});

export const wiredTokens = (wire: Wire, who: Instance, inner: Tokens): Tokens => ({
  keep: (stream, rolloutId, token) =>
    wire.call(who, 'tokens.keep', () => inner.keep(stream, rolloutId, token)),
  find: (stream, rolloutId) => wire.call(who, 'tokens.find', () => inner.find(stream, rolloutId)),
});
