/** Clusters, and the tags of everything. */
import type {
  CreateClusterCommandInput,
  DescribeClustersCommandInput,
  ListClustersCommandInput,
  Tag,
} from '@aws-sdk/client-ecs';
import { type Operation, ServiceError } from '../service.ts';
import { pageFor } from './ecsPage.ts';
import type { Cluster, EcsState } from './ecsState.ts';
import { wireCluster } from './ecsWire.ts';

export function clusterOperations(state: EcsState): Readonly<Record<string, Operation>> {
  return {
    CreateCluster: (input: CreateClusterCommandInput) => {
      const name = input.clusterName ?? 'default';
      if (!/^[\w-]{1,255}$/.test(name))
        throw new ServiceError(
          'InvalidParameterException',
          'Invalid cluster name: letters, digits, hyphens and underscores only.',
        );
      const known = state.clusters.get(name);
      const cluster: Cluster =
        known?.status === 'ACTIVE'
          ? known
          : { arn: state.arn(`cluster/${name}`), name, status: 'ACTIVE', tags: input.tags ?? [] };
      state.clusters.set(name, cluster);
      return { cluster: wireCluster(state, cluster) };
    },
    DescribeClusters: (input: DescribeClustersCommandInput) => {
      const names = (input.clusters?.length ? input.clusters : ['default']).map(
        (each) => each.split('/').at(-1) ?? '',
      );
      const found = names.flatMap((name) => state.clusters.get(name) ?? []);
      const missing = names.filter((name) => !state.clusters.has(name));
      return {
        clusters: found.map((cluster) => wireCluster(state, cluster)),
        failures: missing.map((name) => ({ arn: state.arn(`cluster/${name}`), reason: 'MISSING' })),
      };
    },
    ListClusters: (input: ListClustersCommandInput) => {
      const active = [...state.clusters.values()].filter(({ status }) => status === 'ACTIVE');
      const page = pageFor(
        active.map(({ arn }) => arn),
        input,
        100,
      );
      return { clusterArns: page.items, nextToken: page.next };
    },
    DeleteCluster: ({ cluster: named }: { cluster?: string }) => {
      const cluster = state.cluster(named);
      const wire = wireCluster(state, cluster);
      if ((wire.activeServicesCount ?? 0) > 0)
        throw new ServiceError(
          'ClusterContainsServicesException',
          'The Cluster cannot be deleted while Services are active.',
        );
      if ((wire.runningTasksCount ?? 0) + (wire.pendingTasksCount ?? 0) > 0)
        throw new ServiceError(
          'ClusterContainsTasksException',
          'The Cluster cannot be deleted while Tasks are active.',
        );
      cluster.status = 'INACTIVE';
      return { cluster: wireCluster(state, cluster) };
    },
    ...tagOperations(state),
  };
}

function tagOperations(state: EcsState): Readonly<Record<string, Operation>> {
  return {
    TagResource: ({ resourceArn, tags }: { resourceArn?: string; tags?: Tag[] }) => {
      const resource = state.tagged(resourceArn);
      const kept = resource.tags.filter(({ key }) => !tags?.some((tag) => tag.key === key));
      resource.tags = [...kept, ...(tags ?? [])];
      return {};
    },
    UntagResource: ({ resourceArn, tagKeys }: { resourceArn?: string; tagKeys?: string[] }) => {
      const resource = state.tagged(resourceArn);
      resource.tags = resource.tags.filter(({ key }) => !tagKeys?.includes(key ?? ''));
      return {};
    },
    ListTagsForResource: ({ resourceArn }: { resourceArn?: string }) => ({
      tags: state.tagged(resourceArn).tags,
    }),
  };
}
