/** Listeners: each one opens a real port. */
import type {
  CreateListenerCommandInput,
  DescribeListenersCommandInput,
  ModifyListenerCommandInput,
  Listener as WireListener,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { type Operation, ServiceError } from '../service.ts';
import { normalizeActions } from './actions.ts';
import { arnOf, type ElbDesk, newId, pageFor, refuseMembers, tagMap } from './elbDesk.ts';
import { groupsIn, type Listener } from './elbState.ts';
import { openListener } from './listenerProxy.ts';

export function listenerOperations(desk: ElbDesk): Readonly<Record<string, Operation>> {
  const { state } = desk;
  return {
    CreateListener: async (input: CreateListenerCommandInput) => ({
      Listeners: [wire(await create(desk, input))],
    }),
    ModifyListener: async (input: ModifyListenerCommandInput) => ({
      Listeners: [wire(await modify(desk, input))],
    }),
    DeleteListener: async ({ ListenerArn }: { ListenerArn?: string }) => {
      const listener = state.listener(ListenerArn);
      state.listeners.delete(listener.arn);
      desk.targets.refreshUse();
      await listener.close();
      return {};
    },
    DescribeListeners: (input: DescribeListenersCommandInput) => {
      const balancer = input.LoadBalancerArn === undefined ? null : state.loadBalancer(input.LoadBalancerArn);
      const asked = input.ListenerArns?.map((arn) => state.listener(arn)) ?? [...state.listeners.values()];
      const page = pageFor(
        asked.filter((each) => balancer === null || each.loadBalancer === balancer),
        input,
      );
      return { Listeners: page.items.map(wire), NextMarker: page.next };
    },
  };
}

async function create(desk: ElbDesk, input: CreateListenerCommandInput): Promise<Listener> {
  const { state } = desk;
  const balancer = state.loadBalancer(input.LoadBalancerArn);
  const port = checkPort(desk, balancer.arn, input.Port, null);
  checkProtocol(input);
  const actions = normalizeActions(input.DefaultActions, (arn) => desk.targets.exists(arn));
  checkSharing(desk, balancer.arn, groupsIn(actions));
  const path = `${balancer.fullName}/${newId(desk)}`;
  const rule = { priority: null, conditions: [], actions, tags: new Map<string, string>() };
  const listener: Listener = {
    arn: arnOf(desk.place, `listener/${path}`),
    loadBalancer: balancer,
    port,
    rules: [{ ...rule, arn: arnOf(desk.place, `listener-rule/${path}/${newId(desk)}`) }],
    tags: tagMap(input.Tags),
    close: async () => undefined,
  };
  listener.close = await openListener(desk, port, () => listener);
  state.listeners.set(listener.arn, listener);
  desk.targets.refreshUse();
  return listener;
}

async function modify(desk: ElbDesk, input: ModifyListenerCommandInput): Promise<Listener> {
  const listener = desk.state.listener(input.ListenerArn);
  checkProtocol(input);
  const actions =
    input.DefaultActions && normalizeActions(input.DefaultActions, (arn) => desk.targets.exists(arn));
  if (actions) checkSharing(desk, listener.loadBalancer.arn, groupsIn(actions));
  const port = checkPort(desk, listener.loadBalancer.arn, input.Port ?? listener.port, listener);
  if (port !== listener.port) {
    const closeOld = listener.close;
    listener.close = await openListener(desk, port, () => listener);
    listener.port = port;
    await closeOld();
  }
  const last = listener.rules.at(-1);
  if (actions && last) last.actions = actions;
  desk.targets.refreshUse();
  return listener;
}

function checkPort(
  desk: ElbDesk,
  balancerArn: string,
  port: number | undefined,
  self: Listener | null,
): number {
  if (port === undefined || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw new ServiceError(
      'ValidationError',
      `1 validation error detected: Value '${port}' at 'port' failed to satisfy constraint: ` +
        'Member must have value between 1 and 65535',
    );
  for (const other of desk.state.listeners.values())
    if (other !== self && other.loadBalancer.arn === balancerArn && other.port === port)
      throw new ServiceError(
        'DuplicateListenerException',
        `A listener already exists on port ${port} for this load balancer '${balancerArn}'`,
      );
  return port;
}

function checkProtocol(input: CreateListenerCommandInput | ModifyListenerCommandInput): void {
  if ((input.Protocol ?? 'HTTP') !== 'HTTP')
    throw new ServiceError(
      'UnsupportedProtocolException',
      `Listeners speak HTTP only here, not ${input.Protocol}`,
    );
  refuseMembers(input, ['SslPolicy', 'Certificates', 'AlpnPolicy', 'MutualAuthentication']);
}

/**
 * "The following target groups cannot be associated with more than one load balancer." @throws ServiceError
 */
export function checkSharing(desk: ElbDesk, balancerArn: string, groupArns: readonly string[]): void {
  for (const arn of groupArns)
    if (desk.state.balancersOf(desk.state.targetGroup(arn)).some((other) => other.arn !== balancerArn))
      throw new ServiceError(
        'TargetGroupAssociationLimitException',
        `The following target groups cannot be associated with more than one load balancer: ${arn}`,
      );
}

const wire = (listener: Listener): WireListener => ({
  ListenerArn: listener.arn,
  LoadBalancerArn: listener.loadBalancer.arn,
  Port: listener.port,
  Protocol: 'HTTP',
  DefaultActions: [...(listener.rules.at(-1)?.actions ?? [])],
});
