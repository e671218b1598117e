/** What leaves for others: requests, intents, events on the bus, messages to people. */
import type { Recorded } from '../../events/recorded.ts';
import type { EventBus, Health, IntentQueue, Notifications, Requests } from '../ports.ts';
import type { Faults } from './faults.ts';
import type { Instance } from './instance.ts';
import type { SimClock } from './simClock.ts';
import type { Wire } from './wire.ts';

export type Intent = Parameters<IntentQueue['send']>[0];
export type Request = Parameters<Requests['send']>[0];
export type Message = Parameters<Notifications['notify']>[0];

/** An event finds its target within so much, where nothing is wrong. */
const deliveryMs = 60;

export class Mail {
  readonly published: { readonly at: number; readonly stream: string; readonly event: Recorded }[] = [];
  readonly told: { readonly at: number; readonly message: Message }[] = [];
  readonly intended: { readonly at: number; readonly intent: Intent }[] = [];
  /** Set once by whoever runs the functions. */
  onIntent: (intent: Intent) => void = () => undefined;
  onRequest: (request: Request) => void = () => undefined;
  readonly clock: SimClock;
  readonly #faults: Faults;

  constructor(clock: SimClock, faults: Faults) {
    this.clock = clock;
    this.#faults = faults;
  }

  /** An event bus: at least once, in any order, now and then much later; `lose` is for what may get lost. */
  deliver(what: string, bring: () => void): void {
    const hit = this.#faults.meet('bus', `deliver.${what}`);
    if (hit?.kind === 'lose') return;
    this.clock.schedule(deliveryMs + (hit?.kind === 'delay' ? hit.ms : 0), bring);
    if (hit?.kind === 'duplicate') this.clock.schedule(deliveryMs + hit.ms, bring);
  }
}

export const simIntents = (wire: Wire, who: Instance, mail: Mail): IntentQueue => ({
  send: (intent) =>
    wire.call(who, 'intents.send', () => {
      mail.intended.push({ at: mail.clock.now(), intent });
      mail.onIntent(intent);
    }),
});

export const simRequests = (wire: Wire, who: Instance, mail: Mail): Requests => ({
  send: (request) => wire.call(who, 'requests.send', () => mail.onRequest(request)),
});

export const simBus = (wire: Wire, who: Instance, mail: Mail): EventBus => ({
  publish: (stream, event) =>
    wire.call(who, 'bus.publish', () => {
      mail.published.push({ at: mail.clock.now(), stream, event });
    }),
});

/** Whatever is asked for its health is well: what the simulation doubts is how traffic gets there. */
export const simHealth = (wire: Wire, who: Instance): Health => ({
  check: (url) => wire.call(who, 'health.check', () => ({ ok: true, what: `${url} answers 200` })),
});

export const simPeople = (wire: Wire, who: Instance, mail: Mail): Notifications => ({
  notify: (message) =>
    wire.call(who, 'people.notify', () => {
      mail.told.push({ at: mail.clock.now(), message });
    }),
});
