/** Target groups, their health checks and attributes, and the targets in them. */
import type {
  CreateTargetGroupCommandInput,
  DescribeTargetGroupsCommandInput,
  DescribeTargetHealthCommandInput,
  ModifyTargetGroupAttributesCommandInput,
  ModifyTargetGroupCommandInput,
  RegisterTargetsCommandInput,
  TargetDescription,
  TargetGroup as WireGroup,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { type Operation, ServiceError } from '../service.ts';
import { groupRules, initialAttributes, listAttributes, setAttributes } from './attributes.ts';
import { checkSettings } from './checkSettings.ts';
import { arnOf, checkName, type ElbDesk, newId, pageFor, refuseMembers, tagMap } from './elbDesk.ts';
import { groupsIn, type Target, type TargetGroup } from './elbState.ts';

export function targetGroupOperations(desk: ElbDesk): Readonly<Record<string, Operation>> {
  const { state, targets } = desk;
  return {
    CreateTargetGroup: (input: CreateTargetGroupCommandInput) => ({
      TargetGroups: [wire(desk, createGroup(desk, input))],
    }),
    DescribeTargetGroups: (input: DescribeTargetGroupsCommandInput) => describeGroups(desk, input),
    ModifyTargetGroup: (input: ModifyTargetGroupCommandInput) => {
      const group = state.targetGroup(input.TargetGroupArn);
      group.check = checkSettings(input, group.check, (text) =>
        desk.note(`target group ${group.name}: ${text}`),
      );
      targets.restartChecks(group);
      return { TargetGroups: [wire(desk, group)] };
    },
    DeleteTargetGroup: ({ TargetGroupArn: arn }: { TargetGroupArn?: string }) => {
      const group = state.targetGroups.get(arn ?? '');
      if (!group) return {}; // deleting what is not there succeeds (ELBv2 reference)
      const used = [...state.listeners.values()].some(({ rules }) =>
        rules.some((rule) => groupsIn(rule.actions).includes(group.arn)),
      );
      if (used)
        throw new ServiceError(
          'ResourceInUseException',
          `Target group '${arn}' is currently in use by a listener or a rule`,
        );
      for (const target of group.targets.values()) target.stop();
      state.targetGroups.delete(group.arn);
      return {};
    },
    DescribeTargetGroupAttributes: ({ TargetGroupArn }: { TargetGroupArn?: string }) => ({
      Attributes: listAttributes(state.targetGroup(TargetGroupArn).attributes),
    }),
    ModifyTargetGroupAttributes: (input: ModifyTargetGroupAttributesCommandInput) => {
      const { attributes } = state.targetGroup(input.TargetGroupArn);
      setAttributes(attributes, groupRules, input.Attributes);
      return { Attributes: listAttributes(attributes) };
    },
    RegisterTargets: (input: RegisterTargetsCommandInput) => {
      const group = state.targetGroup(input.TargetGroupArn);
      const addresses = (input.Targets ?? []).map((target) => addressOf(group, target));
      for (const address of addresses) targets.register(group.arn, address);
      return {};
    },
    DeregisterTargets: (input: RegisterTargetsCommandInput) => {
      const group = state.targetGroup(input.TargetGroupArn);
      for (const target of input.Targets ?? []) void targets.deregister(group.arn, addressOf(group, target));
      return {};
    },
    DescribeTargetHealth: (input: DescribeTargetHealthCommandInput) => describeHealth(desk, input),
  };
}

function createGroup(desk: ElbDesk, input: CreateTargetGroupCommandInput): TargetGroup {
  const { Name: name = '', Tags: tags, ...rest } = input;
  checkName(name, 'Target group');
  refuseMembers(input, ['TargetControlPort']);
  const {
    Protocol: protocol = 'HTTP',
    ProtocolVersion: version = 'HTTP1',
    Port: port,
    TargetType: type = 'instance',
  } = input;
  if (protocol !== 'HTTP' || version !== 'HTTP1')
    throw new ServiceError(
      'UnsupportedProtocolException',
      `Target groups speak HTTP (HTTP1) only here, not ${protocol} ${version}`,
    );
  if (type !== 'ip' && type !== 'instance')
    throw new ServiceError(
      'InvalidConfigurationRequestException',
      `Targets of type ${type} are not emulated here`,
    );
  if (port === undefined || port < 1 || port > 65_535)
    throw new ServiceError('ValidationError', 'A port from 1 to 65535 must be specified');
  const asked = JSON.stringify(rest);
  const known = [...desk.state.targetGroups.values()].find((group) => group.name === name);
  if (known && known.asked !== asked)
    throw new ServiceError(
      'DuplicateTargetGroupNameException',
      `A target group with the same name '${name}' exists, but with different settings`,
    );
  if (known) return known;
  const fullName = `targetgroup/${name}/${newId(desk)}`;
  const group: TargetGroup = {
    arn: arnOf(desk.place, fullName),
    name,
    fullName,
    port,
    vpcId: input.VpcId,
    targetType: type,
    asked,
    targets: new Map(),
    tags: tagMap(tags),
    attributes: initialAttributes(groupRules),
    check: checkSettings(input, null, (text) => desk.note(`target group ${name}: ${text}`)),
    turn: -1,
  };
  desk.state.targetGroups.set(group.arn, group);
  return group;
}

function describeGroups(desk: ElbDesk, input: DescribeTargetGroupsCommandInput) {
  const { state } = desk;
  const all = input.TargetGroupArns?.map((arn) => state.targetGroup(arn)) ?? [...state.targetGroups.values()];
  const { Names: names, LoadBalancerArn: balancerArn } = input;
  for (const name of names ?? [])
    if (!all.some((group) => group.name === name))
      throw new ServiceError('TargetGroupNotFoundException', 'One or more target groups not found');
  const balancer = balancerArn === undefined ? null : state.loadBalancer(balancerArn);
  const found = all
    .filter((group) => names === undefined || names.includes(group.name))
    .filter((group) => balancer === null || state.balancersOf(group).includes(balancer));
  const page = pageFor(found, input);
  return { TargetGroups: page.items.map((group) => wire(desk, group)), NextMarker: page.next };
}

function describeHealth({ state }: ElbDesk, input: DescribeTargetHealthCommandInput) {
  const group = state.targetGroup(input.TargetGroupArn);
  const described = (target: Target) => ({
    Target: { Id: target.id, Port: target.port },
    HealthCheckPort: group.check.port === 'traffic-port' ? `${target.port}` : group.check.port,
    TargetHealth: {
      State: target.health.state,
      Reason: target.health.reason,
      Description: target.health.description,
    },
  });
  if (!input.Targets) return { TargetHealthDescriptions: [...group.targets.values()].map(described) };
  const absent = {
    State: 'unused',
    Reason: 'Target.NotRegistered',
    Description: 'Target is not registered to the target group',
  };
  const one = (asked: TargetDescription) => {
    const { id, port } = addressOf(group, asked);
    const target = group.targets.get(`${id}:${port}`);
    return target ? described(target) : { Target: { Id: id, Port: port }, TargetHealth: absent };
  };
  return { TargetHealthDescriptions: input.Targets.map(one) };
}

function addressOf(group: TargetGroup, { Id: id = '', Port: port = group.port }: TargetDescription) {
  if (id === '' || port < 1 || port > 65_535)
    throw new ServiceError('ValidationError', 'A target needs an Id and a port from 1 to 65535');
  return { id, port };
}

const wire = ({ state }: ElbDesk, group: TargetGroup): WireGroup => ({
  TargetGroupArn: group.arn,
  TargetGroupName: group.name,
  Protocol: 'HTTP',
  ProtocolVersion: 'HTTP1',
  Port: group.port,
  VpcId: group.vpcId,
  TargetType: group.targetType,
  IpAddressType: 'ipv4',
  HealthCheckProtocol: 'HTTP',
  HealthCheckPort: group.check.port,
  HealthCheckEnabled: group.check.enabled,
  HealthCheckIntervalSeconds: group.check.intervalSeconds,
  HealthCheckTimeoutSeconds: group.check.timeoutSeconds,
  HealthyThresholdCount: group.check.healthyThreshold,
  UnhealthyThresholdCount: group.check.unhealthyThreshold,
  HealthCheckPath: group.check.path,
  Matcher: { HttpCode: group.check.matcher },
  LoadBalancerArns: state.balancersOf(group).map(({ arn }) => arn),
});
