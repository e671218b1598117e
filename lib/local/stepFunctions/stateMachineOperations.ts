/** The operations on state machines and their versions. */
import type * as sdk from '@aws-sdk/client-sfn';
import { type LocalService, ServiceError } from '../service.ts';
import { readDefinition } from './definition.ts';
import type { Executions } from './executions.ts';
import { page } from './paging.ts';
import { parseStateMachineArn, stateMachineArn } from './stateMachineArn.ts';
import type { Revision, StateMachine, StateMachines, Version } from './stateMachines.ts';

type Operations = LocalService['operations'];

export function stateMachineOperations(machines: StateMachines, executions: Executions): Operations {
  return {
    CreateStateMachine(input: sdk.CreateStateMachineCommandInput, context) {
      const {
        name = '',
        definition = '',
        roleArn = '',
        type = 'STANDARD',
        publish,
        versionDescription,
      } = input;
      if (type !== 'STANDARD') {
        throw new ServiceError('StateMachineTypeNotSupported', 'only STANDARD state machines are run here');
      }
      const machine = machines.create(stateMachineArn(context, name), name, definition, roleArn);
      if (input.tags) machine.tags = tagsOf(machine, input.tags);
      return {
        stateMachineArn: machine.arn,
        creationDate: new Date(machine.createdAt),
        ...(publish ? { stateMachineVersionArn: machines.publish(machine.arn, versionDescription).arn } : {}),
      };
    },

    UpdateStateMachine(input: sdk.UpdateStateMachineCommandInput) {
      const { stateMachineArn: arn = '', definition, roleArn, publish, versionDescription } = input;
      if (definition === undefined && roleArn === undefined && !publish) {
        throw new ServiceError(
          'MissingRequiredParameter',
          'Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration ' +
            'must be specified',
        );
      }
      const machine = machines.update(arn, {
        ...(definition === undefined ? {} : { definition }),
        ...(roleArn === undefined ? {} : { roleArn }),
      });
      return {
        updateDate: new Date(machine.updatedAt),
        revisionId: machine.revision.id,
        ...(publish ? { stateMachineVersionArn: machines.publish(arn, versionDescription).arn } : {}),
      };
    },

    DescribeStateMachine({ stateMachineArn: arn }: sdk.DescribeStateMachineInput) {
      const machine = machines.require(String(arn));
      if (parseStateMachineArn(String(arn)).qualifier === null) {
        return described(machine, machine.revision, machine.arn, machine.createdAt);
      }
      const { version } = machines.version(String(arn));
      const description = version.description === undefined ? {} : { description: version.description };
      return { ...described(machine, version.revision, version.arn, version.createdAt), ...description };
    },

    ListStateMachines({ maxResults, nextToken }: sdk.ListStateMachinesInput) {
      const { items, next } = page(machines.all, maxResults, nextToken);
      const stateMachines = items.map(({ arn, name, createdAt }) => ({
        stateMachineArn: arn,
        name,
        type: 'STANDARD',
        creationDate: new Date(createdAt),
      }));
      return { stateMachines, nextToken: next };
    },

    DeleteStateMachine({ stateMachineArn: arn }: sdk.DeleteStateMachineInput) {
      executions.stopAll(String(arn));
      machines.delete(String(arn));
    },

    ValidateStateMachineDefinition({ definition = '' }: sdk.ValidateStateMachineDefinitionCommandInput) {
      const read = readDefinition(definition);
      const diagnostics = 'machine' in read ? [] : [read.diagnostic];
      return { result: diagnostics.length === 0 ? 'OK' : 'FAIL', diagnostics, truncated: false };
    },

    ...versionOperations(machines),
    ...tagOperations(machines),
  };
}

function described(machine: StateMachine, revision: Revision, arn: string, createdAt: number) {
  return {
    stateMachineArn: arn,
    name: machine.name,
    status: 'ACTIVE',
    type: 'STANDARD',
    definition: revision.definition,
    roleArn: revision.roleArn,
    revisionId: revision.id,
    creationDate: new Date(createdAt),
    loggingConfiguration: { level: 'OFF', includeExecutionData: false },
    tracingConfiguration: { enabled: false },
    encryptionConfiguration: { type: 'AWS_OWNED_KEY' },
  };
}

function versionOperations(machines: StateMachines): Operations {
  return {
    PublishStateMachineVersion(input: sdk.PublishStateMachineVersionInput) {
      const { arn, createdAt } = machines.publish(
        String(input.stateMachineArn),
        input.description,
        input.revisionId,
      );
      return { stateMachineVersionArn: arn, creationDate: new Date(createdAt) };
    },
    ListStateMachineVersions({
      stateMachineArn: arn,
      maxResults,
      nextToken,
    }: sdk.ListStateMachineVersionsInput) {
      const versions: Version[] = [...machines.require(String(arn)).versions.values()].reverse();
      const { items, next } = page(versions, maxResults, nextToken);
      const stateMachineVersions = items.map((version) => ({
        stateMachineVersionArn: version.arn,
        creationDate: new Date(version.createdAt),
      }));
      return { stateMachineVersions, nextToken: next };
    },
    DeleteStateMachineVersion: ({ stateMachineVersionArn }) => machines.deleteVersion(stateMachineVersionArn),
  };
}

function tagOperations(machines: StateMachines): Operations {
  return {
    TagResource({ resourceArn, tags }: sdk.TagResourceInput) {
      const machine = machines.require(String(resourceArn));
      machine.tags = tagsOf(machine, tags ?? []);
    },
    UntagResource({ resourceArn, tagKeys }: sdk.UntagResourceInput) {
      const machine = machines.require(String(resourceArn));
      machine.tags = new Map([...machine.tags].filter(([key]) => !tagKeys?.includes(key)));
    },
    ListTagsForResource({ resourceArn }: sdk.ListTagsForResourceInput) {
      return {
        tags: [...machines.require(String(resourceArn)).tags].map(([key, value]) => ({ key, value })),
      };
    },
  };
}

const tagsOf = (machine: StateMachine, tags: readonly sdk.Tag[]) =>
  new Map([...machine.tags, ...tags.map(({ key = '', value = '' }): [string, string] => [key, value])]);
