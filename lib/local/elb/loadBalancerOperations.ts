/** Load balancers, their attributes, and the tags of everything. */
import type {
  CreateLoadBalancerCommandInput,
  DescribeLoadBalancersCommandInput,
  ModifyLoadBalancerAttributesCommandInput,
  Tag,
  LoadBalancer as WireBalancer,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { type Operation, ServiceError } from '../service.ts';
import { balancerRules, initialAttributes, listAttributes, setAttributes } from './attributes.ts';
import { arnOf, checkName, type ElbDesk, newId, pageFor, refuseMembers, tagMap } from './elbDesk.ts';
import type { LoadBalancer } from './elbState.ts';

export function loadBalancerOperations(desk: ElbDesk): Readonly<Record<string, Operation>> {
  const { state } = desk;
  return {
    CreateLoadBalancer: (input: CreateLoadBalancerCommandInput) => ({
      LoadBalancers: [wire(desk, createBalancer(desk, input))],
    }),
    DescribeLoadBalancers: (input: DescribeLoadBalancersCommandInput) => {
      const byArn = input.LoadBalancerArns?.map((arn) => state.loadBalancer(arn));
      const all = byArn ?? [...state.loadBalancers.values()];
      const names = input.Names;
      if (names)
        for (const name of names)
          if (!all.some((balancer) => balancer.name === name))
            throw new ServiceError('LoadBalancerNotFoundException', `Load balancers '[${name}]' not found`);
      const page = pageFor(names ? all.filter(({ name }) => names.includes(name)) : all, input);
      return { LoadBalancers: page.items.map((balancer) => wire(desk, balancer)), NextMarker: page.next };
    },
    DeleteLoadBalancer: async ({ LoadBalancerArn: arn }: { LoadBalancerArn?: string }) => {
      const balancer = state.loadBalancers.get(arn ?? '');
      if (!balancer) return {}; // deleting what is not there succeeds (ELBv2 reference)
      if (balancer.attributes.get('deletion_protection.enabled') === 'true')
        throw new ServiceError(
          'OperationNotPermittedException',
          `Load balancer '${arn}' cannot be deleted because deletion protection is enabled`,
        );
      const listeners = [...state.listeners.values()].filter((each) => each.loadBalancer === balancer);
      for (const listener of listeners) state.listeners.delete(listener.arn);
      state.loadBalancers.delete(balancer.arn);
      desk.targets.refreshUse();
      await Promise.all(listeners.map((listener) => listener.close()));
      return {};
    },
    DescribeLoadBalancerAttributes: ({ LoadBalancerArn }: { LoadBalancerArn?: string }) => ({
      Attributes: listAttributes(state.loadBalancer(LoadBalancerArn).attributes),
    }),
    ModifyLoadBalancerAttributes: (input: ModifyLoadBalancerAttributesCommandInput) => {
      const { attributes } = state.loadBalancer(input.LoadBalancerArn);
      setAttributes(attributes, balancerRules, input.Attributes);
      return { Attributes: listAttributes(attributes) };
    },
    ...tagOperations(desk),
  };
}

function createBalancer(desk: ElbDesk, input: CreateLoadBalancerCommandInput): LoadBalancer {
  const { Name: name = '', Tags: tags, ...rest } = input;
  checkName(name, 'Load balancer');
  if ((input.Type ?? 'application') !== 'application')
    throw new ServiceError(
      'InvalidConfigurationRequestException',
      `Load balancers of type ${input.Type} are not emulated here`,
    );
  refuseMembers(input, ['IpamPools', 'CustomerOwnedIpv4Pool', 'EnablePrefixForIpv6SourceNat']);
  const asked = JSON.stringify(rest);
  const known = [...desk.state.loadBalancers.values()].find((balancer) => balancer.name === name);
  if (known && known.asked !== asked)
    throw new ServiceError(
      'DuplicateLoadBalancerNameException',
      `A load balancer with the same name '${name}' exists, but with different settings`,
    );
  if (known) return known;
  const fullName = `app/${name}/${newId(desk)}`;
  const balancer: LoadBalancer = {
    arn: arnOf(desk.place, `loadbalancer/${fullName}`),
    name,
    fullName,
    // `*.localhost` leads to this machine (RFC 6761); the port is the listener's own.
    dnsName: `${name}.${desk.place.region}.elb.localhost`,
    createdMs: desk.clock.now(),
    scheme: input.Scheme ?? 'internet-facing',
    subnets: input.Subnets ?? (input.SubnetMappings ?? []).map(({ SubnetId }) => SubnetId ?? ''),
    securityGroups: input.SecurityGroups ?? [],
    asked,
    tags: tagMap(tags),
    attributes: initialAttributes(balancerRules),
  };
  desk.state.loadBalancers.set(balancer.arn, balancer);
  return balancer;
}

const wire = ({ place }: ElbDesk, balancer: LoadBalancer): WireBalancer => ({
  LoadBalancerArn: balancer.arn,
  LoadBalancerName: balancer.name,
  DNSName: balancer.dnsName,
  CanonicalHostedZoneId: 'Z32O12XQLNTSW2', // eu-west-1's, as ELB publishes it
  CreatedTime: new Date(balancer.createdMs),
  Scheme: balancer.scheme,
  State: { Code: 'active' },
  Type: 'application',
  AvailabilityZones: balancer.subnets.map((SubnetId, i) => ({
    SubnetId,
    ZoneName: `${place.region}${'abc'[i % 3]}`,
  })),
  SecurityGroups: [...balancer.securityGroups],
  IpAddressType: 'ipv4',
});

type Tagging = { ResourceArns?: string[]; Tags?: Tag[]; TagKeys?: string[] };

/** ELBv2 reference: at most 20 resources in one request. */
const RESOURCES_MAX = 20;

function tagOperations({ state }: ElbDesk): Readonly<Record<string, Operation>> {
  const tagsOf = ({ ResourceArns: arns = [] }: Tagging) => {
    if (arns.length > RESOURCES_MAX)
      throw new ServiceError('ValidationError', `At most ${RESOURCES_MAX} resource ARNs`);
    return arns.map((arn) => ({ arn, tags: state.tagsOf(arn) }));
  };
  return {
    AddTags: (input: Tagging) => {
      for (const { tags } of tagsOf(input))
        for (const [key, value] of tagMap(input.Tags)) tags.set(key, value);
      return {};
    },
    RemoveTags: (input: Tagging) => {
      for (const { tags } of tagsOf(input)) for (const key of input.TagKeys ?? []) tags.delete(key);
      return {};
    },
    DescribeTags: (input: Tagging) => ({
      TagDescriptions: tagsOf(input).map(({ arn, tags }) => ({
        ResourceArn: arn,
        Tags: [...tags].map(([Key, Value]) => ({ Key, Value })),
      })),
    }),
  };
}
