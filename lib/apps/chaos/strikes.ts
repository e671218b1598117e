/**
 * Strikes on the functions' calls, and the table of those that were dealt. What was dealt least so far is
 * drawn most, and what is called much, so that every kind meets every service that is called at all.
 */
import type { Call, Fault, FaultRule, Faults } from '../../local/faults.ts';
import type { SeededRandom } from '../../sim/random.ts';

type Kind = Fault['kind'];

/** Every kind of strike, as the table names it. */
const names: Readonly<Record<Kind, string>> = {
  throttle: 'throttled',
  error: '5xx',
  reset: 'reset',
  slow: 'slow',
  half: 'half',
  applied: 'done+err',
  late: 'late',
  kill: 'killed',
};
const kinds = Object.keys(names) as Kind[];

/** What functions call in the middle of a rollout, by its SigV4 scope. */
const services = [
  'dynamodb',
  'elasticloadbalancing',
  'ecs',
  'sqs',
  'states',
  'events',
  'sns',
  'monitoring',
  'application-autoscaling',
  'ssm',
] as const;

/** These are called often: more than a part of them struck, and nothing ever moves. */
const busy = new Set<string>(['dynamodb', 'elasticloadbalancing', 'monitoring']);

/** Late writes land within the configured longest shift. */
const lateMs = 2500;
const rememberedMax = 400;

export class Strikes {
  readonly #faults: Faults;
  readonly #random: SeededRandom;
  readonly #dealt = new Map<string, Map<Kind, number>>();
  /** By functions, struck or not. */
  readonly #calls = new Map<string, number>();
  /** The newest, for the record. */
  readonly recent: string[] = [];

  constructor(faults: Faults, random: SeededRandom) {
    this.#faults = faults;
    this.#random = random;
    const countCall = (_: unknown, { service }: Call): false => {
      this.#calls.set(service, (this.#calls.get(service) ?? 0) + 1);
      return false;
    };
    faults.add({ caller: 'fn-', input: countCall, fault: { kind: 'reset' } });
  }

  /**
   * Strikes one service in one way until it is ended; what is called seldom is struck a few times and may
   * wait for its calls.
   */
  begin(): { readonly says: string; readonly waits: boolean; readonly end: () => void } {
    const random = this.#random;
    this.count();
    const pairs = services.flatMap((service) => kinds.map((kind) => ({ service, kind })));
    const shares = pairs.map(
      ({ service, kind }) =>
        Math.sqrt(1 + (this.#calls.get(service) ?? 0)) / (1 + this.#dealtTo(service, kind)),
    );
    let left = random.uniform() * shares.reduce((sum, share) => sum + share, 0);
    const at = shares.findIndex((share) => {
      left -= share;
      return left <= 0;
    });
    const { service, kind } = pairs[at] ?? random.pick(pairs);
    const probability = busy.has(service) ? random.between(0.05, 0.6) : random.between(0.5, 1);
    const fault = faultOf(kind, random);
    const end = this.#faults.add({
      ...{ caller: 'fn-', service, probability, fault },
      ...(kind === 'kill' ? { times: 2 } : busy.has(service) ? {} : { times: 3 }),
    });
    return {
      waits: !busy.has(service),
      says: `${service} ${names[kind]} ${Math.round(probability * 100)} %`,
      end,
    };
  }

  /** A little of every kind, on every service. */
  beginBackground(): () => void {
    const ends = kinds.map((kind) => {
      const rule: FaultRule = {
        caller: 'fn-',
        probability: this.#random.between(0.002, kind === 'kill' ? 0.005 : 0.03),
        fault: faultOf(kind, this.#random),
      };
      return this.#faults.add(rule);
    });
    return () => {
      for (const end of ends) end();
    };
  }

  /** Takes what the fault layer noted into the table. */
  count(): void {
    for (const { rule, call } of this.#faults.strikes.splice(0)) {
      const { kind } = rule.fault;
      const ofService = this.#dealt.get(call.service) ?? new Map<Kind, number>();
      this.#dealt.set(call.service, ofService.set(kind, (ofService.get(kind) ?? 0) + 1));
      this.recent.push(`${names[kind]} ${call.service}:${call.operation} of ${call.caller}`);
    }
    this.recent.splice(0, this.recent.length - rememberedMax);
  }

  /** A line for each service that was struck, and one sentence for the kinds that never were. */
  table(): readonly string[] {
    this.count();
    const row = (name: string, cells: readonly (string | number)[]) =>
      name.padEnd(24) + cells.map((cell) => String(cell).padStart(10)).join('');
    const sumOf = (kind: Kind) =>
      [...this.#dealt.keys()].reduce((sum, to) => sum + this.#dealtTo(to, kind), 0);
    const never = kinds.filter((kind) => sumOf(kind) === 0).map((kind) => names[kind]);
    return [
      row('strikes dealt', [...kinds.map((kind) => names[kind]), 'calls']),
      ...[...this.#calls]
        .sort()
        .map(([service, calls]) =>
          row(service, [...kinds.map((kind) => this.#dealtTo(service, kind) || '-'), calls]),
        ),
      row('all', [...kinds.map(sumOf), [...this.#calls.values()].reduce((sum, calls) => sum + calls, 0)]),
      never.length === 0 ? 'every kind was dealt' : `NEVER DEALT: ${never.join(', ')}`,
    ];
  }

  #dealtTo(service: string, kind: Kind): number {
    return this.#dealt.get(service)?.get(kind) ?? 0;
  }
}

function faultOf(kind: Kind, random: SeededRandom): Fault {
  switch (kind) {
    case 'error':
      return { kind, status: random.pick([500, 503]) };
    case 'slow':
      return { kind, ms: random.whole(100, lateMs) };
    case 'applied':
      return { kind, answer: random.pick(['error', 'reset'] as const) };
    case 'late':
      return { kind, ms: random.whole(100, lateMs), answer: random.pick(['error', 'silence'] as const) };
    case 'kill':
      return { kind, when: random.pick(['before', 'after'] as const) };
    default:
      return { kind };
  }
}
