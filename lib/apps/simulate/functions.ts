/**
 * The functions as functions/* join them: parse, flow, answer. Each runs in an instance, with that one's
 * ports.
 */
import { parseAlarmChange } from '../../../events/aws/cloudWatchAlarm.ts';
import { parseDeploymentTrouble } from '../../../events/aws/deploymentTrouble.ts';
import { parseFallBack } from '../../../events/fallBack.ts';
import { parseIntent } from '../../../events/intent.ts';
import { parseMigrationOperation, parseMigrationRequest } from '../../../events/migrationRequest.ts';
import type { Parsed } from '../../../events/parsed.ts';
import { parseOperationRequest, parseRolloutRequest } from '../../../events/request.ts';
import { parseApprovalTask, parseMigrationTask, parseRolloutTask } from '../../../events/task.ts';
import { eachMessage, type QueueEvent } from '../../aws/lambda/queue.ts';
import type { ServiceSettings } from '../../core/config/settings.ts';
import { BadInput } from '../../core/outage.ts';
import { evaluateCanary } from '../../flows/evaluateCanary.ts';
import { fallBack } from '../../flows/fallBack.ts';
import { onAlarm } from '../../flows/onAlarm.ts';
import { onDeployment } from '../../flows/onDeployment.ts';
import { operate } from '../../flows/operate.ts';
import { operateMigration } from '../../flows/operateMigration.ts';
import { prepareCanary } from '../../flows/prepareCanary.ts';
import { promoteCanary } from '../../flows/promoteCanary.ts';
import { publishEvents } from '../../flows/publishEvents.ts';
import { reconcile } from '../../flows/reconcile.ts';
import { recordIntent } from '../../flows/recordIntent.ts';
import { requestApproval } from '../../flows/requestApproval.ts';
import { rollBack } from '../../flows/rollBack.ts';
import { shiftTraffic } from '../../flows/shiftTraffic.ts';
import { startMigration } from '../../flows/startMigration.ts';
import { startRollout } from '../../flows/startRollout.ts';
import { stepMigration } from '../../flows/stepMigration.ts';
import { toPeople, toTheBus } from '../../flows/subscribers.ts';
import type { Instance } from '../../sim/instance.ts';
import type { SimFunction } from '../../sim/lambda.ts';
import type { NumberedDelivery } from '../../sim/tableStream.ts';
import type { Ports, SimWorld } from '../../sim/world.ts';
import { deployedFunctions } from '../deploy/functions.ts';
import { rememberedAnalysis } from './rememberedAnalysis.ts';

/** The ports each function is given: the same as its handler's in functions/, and nothing more. */
export const portsOf = {
  'start-rollout': ['clock', 'log', 'store', 'traffic', 'workload', 'metrics', 'alarms', 'machines'],
  'prepare-canary': ['clock', 'log', 'store', 'traffic', 'workload', 'places'],
  'shift-traffic': ['clock', 'log', 'store', 'traffic', 'workload'],
  'evaluate-canary': ['clock', 'log', 'store', 'traffic', 'metrics', 'alarms'],
  'promote-canary': ['clock', 'log', 'store', 'traffic', 'workload', 'requests'],
  'roll-back': ['clock', 'log', 'store', 'traffic', 'workload', 'places', 'requests'],
  'request-approval': ['clock', 'log', 'store', 'tokens', 'machines'],
  'on-alarm': ['clock', 'log', 'store', 'traffic', 'workload', 'metrics', 'machines', 'intents'],
  'on-deployment': ['clock', 'log', 'store', 'traffic', 'workload', 'machines'],
  'fall-back': ['clock', 'pause', 'log', 'traffic', 'workload', 'health', 'intents'],
  operate: ['clock', 'log', 'store', 'tokens', 'traffic', 'requests', 'machines'],
  'record-intents': ['clock', 'log', 'store', 'traffic', 'workload', 'machines'],
  reconcile: ['clock', 'log', 'store', 'traffic', 'metrics', 'alarms', 'requests', 'machines'],
  'start-migration': ['clock', 'log', 'store', 'machines'],
  'step-migration': ['clock', 'log', 'store', 'traffic', 'workload', 'metrics', 'alarms', 'machines'],
  'operate-migration': ['clock', 'log', 'store', 'traffic', 'workload', 'machines'],
  'publish-events': ['log', 'store', 'consumers', 'bus', 'people'],
} as const satisfies Readonly<Record<string, readonly (keyof Ports)[]>>;

type FunctionName = keyof typeof portsOf;
type PortsOf<Name extends FunctionName> = Pick<Ports, (typeof portsOf)[Name][number]>;
type Bodies = {
  readonly [Name in FunctionName]: (
    ports: PortsOf<Name>,
    payload: unknown,
    who: Instance,
  ) => Promise<unknown>;
};

/** @param settings of every service, as the functions carry them */
export function functionsOf(
  world: SimWorld,
  settings: readonly ServiceSettings[],
): ReadonlyMap<string, SimFunction> {
  const bodies = bodiesFor(settings);
  const runnable = <Name extends FunctionName>(name: Name): SimFunction => ({
    timeoutSeconds: deployedFunctions[name]?.timeoutSeconds ?? 30,
    run: async (who, payload) => {
      const ports: readonly (keyof Ports)[] = portsOf[name];
      return bodies[name](world.portsFor(who, ports) as PortsOf<Name>, payload, who);
    },
  });
  const names = Object.keys(portsOf) as FunctionName[];
  return new Map(names.map((name): [string, SimFunction] => [name, runnable(name)]));
}

function bodiesFor(services: readonly ServiceSettings[]): Bodies {
  const settingsFor = (service: string): ServiceSettings => {
    const found = services.find((one) => one.service === service);
    if (found === undefined) throw new BadInput(`there is no service ${service}`);
    return found;
  };
  return {
    'start-rollout': async (ports, event) => {
      const request = read(parseRolloutRequest(event));
      const settings = settingsFor(request.service);
      const started = await startRollout(ports, request, settings, request.eventId);
      const { plan: _, ...answer } = 'plan' in started ? started : { ...started, plan: null };
      ports.log.write({ message: 'rollout requested', ...request, ...answer });
      return answer;
    },
    operate: async (ports, event) => {
      const request = read(parseOperationRequest(event));
      const settings = settingsFor(request.service);
      const operated = await operate(ports, request, { settings, services }, request.eventId);
      ports.log.write({ message: 'operation requested', ...request, ...operated });
      return operated;
    },
    'prepare-canary': (ports, task) => prepareCanary(ports, read(parseRolloutTask(task))),
    'shift-traffic': (ports, task) => shiftTraffic(ports, read(parseRolloutTask(task))),
    'evaluate-canary': (ports, task) =>
      evaluateCanary(ports, read(parseRolloutTask(task)), rememberedAnalysis),
    'promote-canary': (ports, task) => promoteCanary(ports, read(parseRolloutTask(task))),
    'roll-back': (ports, task) => rollBack(ports, read(parseRolloutTask(task))),
    'request-approval': (ports, task) => requestApproval(ports, read(parseApprovalTask(task))),
    'on-alarm': (ports, event) =>
      eachMessage(event as QueueEvent, parseAlarmChange, ports, async (change) => {
        await onAlarm(ports, { ...change, correlationId: change.eventId }, services);
      }),
    'on-deployment': (ports, event) =>
      eachMessage(event as QueueEvent, parseDeploymentTrouble, ports, async (trouble) => {
        if (trouble !== null) await onDeployment(ports, trouble, services);
      }),
    'fall-back': (ports, event, { number }) =>
      fallBack(ports, read(parseFallBack(event)), services, `fall-back-${number}`),
    'record-intents': (ports, event) =>
      eachMessage(event as QueueEvent, parseIntent, ports, (intent) => recordIntent(ports, intent, services)),
    reconcile: async (ports, event) => reconcile(ports, (event as { readonly id: string }).id),
    'start-migration': async (ports, event) => {
      const request = read(parseMigrationRequest(event));
      return startMigration(ports, request, services, request.eventId);
    },
    'step-migration': (ports, task) => stepMigration(ports, read(parseMigrationTask(task)), services),
    'operate-migration': async (ports, event) => {
      const request = read(parseMigrationOperation(event));
      return operateMigration(ports, request, request.eventId);
    },
    'publish-events': async (ports, deliveries) => {
      const given = deliveries as readonly NumberedDelivery[];
      const again = await publishEvents(ports, given, [toTheBus(ports.bus), toPeople(ports.people)]);
      return given.find((delivery) => again.includes(delivery))?.sequenceNumber ?? null;
    },
  };
}

/** @throws BadInput when the event breaks its contract */
function read<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new BadInput(parsed.sentence);
  return parsed.value;
}
