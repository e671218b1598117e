/**
 * What people and pipelines do: release revisions, good and bad, one service at a time or several together,
 * say their words at bad moments, move traffic by hand, pull the fire exit.
 */
import { ElasticLoadBalancingV2Client, ModifyRuleCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { ServiceState } from '../../core/rollout/state.ts';
import type { SeededRandom } from '../../sim/random.ts';
import { type Fault, registerShop } from '../demo/account.ts';
import { type Shop, type Stage, stack } from './stage.ts';
import { count, type Tally } from './trouble.ts';

/** The schedule, which is once a minute in an account: a round is shorter than that. */
const reconcileSeconds = 5;
const words = [
  'pause',
  'resume',
  'approve',
  'abort',
  'promote',
  'promote-fully',
  'override',
  'retry',
] as const;
/** An override ends by itself; a fifth of a minute is about one rollout. */
const overrideMinutes = 0.2;

export class People {
  readonly stage: Stage;
  readonly tally: Tally;
  readonly say: (line: string) => void;
  /** Revisions that fail from their first request on. */
  readonly bad = new Set<string>();
  /** Migrations that have not ended. */
  readonly migrations = new Set<string>();
  readonly #random: SeededRandom;
  readonly #bus: EventBridgeClient;
  readonly #lambda: LambdaClient;
  readonly #balancer: ElasticLoadBalancingV2Client;
  #releases = 1;

  constructor(stage: Stage, random: SeededRandom, tally: Tally, say: (line: string) => void) {
    this.stage = stage;
    this.#random = random;
    this.tally = tally;
    this.say = say;
    this.#bus = new EventBridgeClient(stage.at);
    this.#lambda = new LambdaClient(stage.at);
    this.#balancer = new ElasticLoadBalancingV2Client(stage.at);
  }

  /** The schedule, until `stop`; never two at a time, so that a slow machine is not buried in them. */
  keepHouse(): () => void {
    let stopped = false;
    void (async () => {
      while (!stopped) {
        await pause(reconcileSeconds * 1000);
        if (!stopped) await this.invoke('reconcile', {}, 'RequestResponse');
      }
    })();
    return () => {
      stopped = true;
    };
  }

  async release({ service }: Shop): Promise<void> {
    const { revision, says, nth } = await this.#register(service);
    const bad = [...this.bad].filter((known) => known.includes(`/${service}:`));
    // Now and then somebody insists on what went wrong before, and says so or not.
    const again = bad.length > 0 && this.#random.chance(0.12) ? this.#random.pick(bad) : null;
    const insists = again !== null && this.#random.chance(0.7);
    this.say(`${service}: release-${nth}: ${again === null ? says : `${again} again`}`);
    await this.#put('Switchback Rollout Requested', {
      service,
      revision: again ?? revision,
      rolloutId: `release-${nth}`,
      ...(insists ? { knownBadOverride: 'chaos' } : {}),
    });
  }

  async migrate(): Promise<void> {
    const revisions: Record<string, string> = {};
    const told: string[] = [];
    for (const { service } of this.stage.shops) {
      const { revision, says } = await this.#register(service);
      revisions[service] = revision;
      told.push(`${service} ${says}`);
    }
    const migrationId = `move-${this.#releases}`;
    this.migrations.add(migrationId);
    count(this.tally, 'migrations');
    const takeBack = this.#random.pick(['affected', 'everything']);
    this.say(`migration ${migrationId}: ${told.join(', ')}; takes back ${takeBack}`);
    await this.#put('Switchback Migration Requested', { migrationId, revisions, takeBack });
  }

  async #register(service: string): Promise<{ revision: string; says: string; nth: number }> {
    const fault = this.#random.chance(0.6)
      ? 'none'
      : this.#random.pick<Fault>(['errors', 'errors', 'latency', 'crash']);
    const faultAfter = fault === 'none' ? 0 : this.#random.pick([0, 0, 20, 60]);
    const nth = ++this.#releases;
    const revision = await registerShop(this.stage.at, `v${nth}`, fault, faultAfter, service);
    if (fault !== 'none' && faultAfter === 0) this.bad.add(revision);
    count(this.tally, fault === 'none' ? 'good releases' : 'bad releases');
    return { revision, says: fault === 'none' ? 'good' : `${fault} after ${faultAfter} requests`, nth };
  }

  /** Somebody does something, to one of the services, at whatever moment. */
  async interfere(): Promise<void> {
    const random = this.#random;
    const shop = random.pick(this.stage.shops);
    const what = random.pick([...words, 'by hand', 'fire exit', 'release', 'migration back']);
    if (what === 'migration back' && this.migrations.size === 0) return;
    count(this.tally, `people: ${what}`);
    this.say(`somebody: ${what} (${shop.service})`);
    switch (what) {
      case 'release':
        return this.release(shop);
      case 'by hand':
        return this.#byHand(shop, random.pick([0, 100, 30]));
      case 'fire exit': {
        const whose = random.chance(0.3) ? {} : { service: shop.service };
        // As `npm run fall-back` does: called in any other way, Lambda pulls it again when it was killed.
        void this.invoke('fall-back', { ...whose, why: 'chaos', by: 'chaos' }, 'RequestResponse');
        return;
      }
      case 'migration back':
        return this.operateMigration(random.pick([...this.migrations]), 'roll-back');
      default:
        return this.operate(shop, what);
    }
  }

  async operate({ service }: Shop, operation: string): Promise<void> {
    const until = operation === 'override' ? { untilMinutes: overrideMinutes } : {};
    await this.#put('Switchback Operation Requested', {
      ...{ service, operation, by: 'chaos', why: 'chaos' },
      ...until,
    });
  }

  async operateMigration(migrationId: string, operation: 'resume' | 'roll-back' | 'freeze'): Promise<void> {
    const detail = { migrationId, operation, by: 'chaos', why: 'chaos' };
    await this.#put('Switchback Migration Operation Requested', detail);
  }

  async stateOf({ stream }: Shop): Promise<ServiceState | undefined> {
    return (await this.stage.store.head(stream)).snapshot?.state as ServiceState | undefined;
  }

  async invoke(
    name: string,
    payload: unknown,
    InvocationType: 'Event' | 'RequestResponse' = 'Event',
  ): Promise<void> {
    const Payload = Buffer.from(JSON.stringify(payload));
    const FunctionName = `${stack}-${name}`;
    await this.#lambda
      .send(new InvokeCommand({ FunctionName, InvocationType, Payload }))
      .catch((error: Error) => count(this.tally, `${name} not taken: ${error.name}`));
  }

  async #byHand(shop: Shop, greenWeight: number): Promise<void> {
    const { ruleArn, targetGroups } = shop.target;
    const TargetGroups = [
      { TargetGroupArn: targetGroups.blue, Weight: 100 - greenWeight },
      { TargetGroupArn: targetGroups.green, Weight: greenWeight },
    ];
    const { rollout } = (await this.stateOf(shop)) ?? { rollout: { phase: 'none' } as const };
    // Nobody in their senses sends people onto a side that runs nothing.
    if (rollout.phase === 'none' || rollout.weight === 0 || rollout.weight === 100) return;
    const Actions = [{ Type: 'forward' as const, ForwardConfig: { TargetGroups } }];
    await this.#balancer.send(new ModifyRuleCommand({ RuleArn: ruleArn, Actions }));
  }

  async #put(DetailType: string, detail: Readonly<Record<string, unknown>>): Promise<void> {
    const Entries = [{ EventBusName: stack, Source: 'chaos', DetailType, Detail: JSON.stringify(detail) }];
    await this.#bus.send(new PutEventsCommand({ Entries }));
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
