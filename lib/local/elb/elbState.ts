/** What the load balancers know: balancers, target groups with their targets, listeners with their rules. */
import type {
  Action,
  RuleCondition,
  TargetHealthReasonEnum,
  TargetHealthStateEnum,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { ServiceError } from '../service.ts';

export type Health = {
  readonly state: TargetHealthStateEnum;
  readonly reason?: TargetHealthReasonEnum | undefined;
  readonly description?: string | undefined;
};

export type Target = {
  readonly id: string;
  readonly port: number;
  health: Health;
  /** Requests sent to it and not yet answered. */
  inFlight: number;
  /** Ends the health checks or the draining of this target. */
  stop: () => void;
};

export type HealthCheckSettings = {
  readonly enabled: boolean;
  readonly path: string;
  /** `traffic-port` or a number as text. */
  readonly port: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
  /** Status codes that are healthy: `200`, `200,202`, `200-299`. */
  readonly matcher: string;
};

export type TargetGroup = {
  readonly arn: string;
  readonly name: string;
  /** `targetgroup/<name>/<id>`: the metric dimension. */
  readonly fullName: string;
  readonly port: number;
  readonly vpcId: string | undefined;
  readonly targetType: 'ip' | 'instance';
  /** The creating request without tags, to tell a repeated one from another of the same name. */
  readonly asked: string;
  readonly targets: Map<string, Target>;
  readonly tags: Map<string, string>;
  readonly attributes: Map<string, string>;
  check: HealthCheckSettings;
  /** Where round robin goes on. */
  turn: number;
};

export type LoadBalancer = {
  readonly arn: string;
  readonly name: string;
  /** `app/<name>/<id>`: the metric dimension. */
  readonly fullName: string;
  readonly dnsName: string;
  readonly createdMs: number;
  readonly scheme: 'internal' | 'internet-facing';
  readonly subnets: readonly string[];
  readonly securityGroups: readonly string[];
  readonly asked: string;
  readonly tags: Map<string, string>;
  readonly attributes: Map<string, string>;
};

export type Rule = {
  readonly arn: string;
  /** null is the default rule: no conditions, always last. */
  priority: number | null;
  conditions: readonly RuleCondition[];
  actions: readonly Action[];
  readonly tags: Map<string, string>;
};

export type Listener = {
  readonly arn: string;
  readonly loadBalancer: LoadBalancer;
  port: number;
  /** By priority, the default rule last. */
  rules: Rule[];
  readonly tags: Map<string, string>;
  /** Closes the port. */
  close: () => Promise<void>;
};

export class ElbState {
  readonly loadBalancers = new Map<string, LoadBalancer>();
  readonly targetGroups = new Map<string, TargetGroup>();
  readonly listeners = new Map<string, Listener>();

  /** @throws ServiceError */
  loadBalancer(arn: string | undefined): LoadBalancer {
    return this.loadBalancers.get(arn ?? '') ?? missing('LoadBalancer', `One or more load balancers`, arn);
  }

  /** @throws ServiceError */
  targetGroup(arn: string | undefined): TargetGroup {
    return this.targetGroups.get(arn ?? '') ?? missing('TargetGroup', `Target group '${arn}'`, arn);
  }

  /** @throws ServiceError */
  listener(arn: string | undefined): Listener {
    return this.listeners.get(arn ?? '') ?? missing('Listener', 'One or more listeners', arn);
  }

  /** @throws ServiceError */
  rule(arn: string | undefined): { readonly listener: Listener; readonly rule: Rule } {
    for (const listener of this.listeners.values()) {
      const rule = listener.rules.find((each) => each.arn === arn);
      if (rule) return { listener, rule };
    }
    return missing('Rule', 'One or more rules', arn);
  }

  /** Everything that can be tagged, by its ARN. @throws ServiceError */
  tagsOf(arn: string): Map<string, string> {
    if (arn.includes(':loadbalancer/')) return this.loadBalancer(arn).tags;
    if (arn.includes(':targetgroup/')) return this.targetGroup(arn).tags;
    return arn.includes(':listener-rule/') ? this.rule(arn).rule.tags : this.listener(arn).tags;
  }

  /** The balancers whose listeners send something to the group. */
  balancersOf(group: TargetGroup): readonly LoadBalancer[] {
    const using = [...this.listeners.values()].filter((listener) =>
      listener.rules.some((rule) => groupsIn(rule.actions).includes(group.arn)),
    );
    return [...new Set(using.map((listener) => listener.loadBalancer))];
  }
}

/** The ARNs of the target groups that actions forward to, whatever their weight. */
export const groupsIn = (actions: readonly Action[]): readonly string[] =>
  actions.flatMap(({ ForwardConfig }) =>
    (ForwardConfig?.TargetGroups ?? []).map((tuple) => tuple.TargetGroupArn ?? ''),
  );

export const targetKey = (id: string, port: number): string => `${id}:${port}`;

function missing(kind: string, what: string, arn: string | undefined): never {
  throw new ServiceError(
    `${kind}NotFoundException`,
    `${what} not found${what.includes("'") ? '' : `: ${arn}`}`,
  );
}
