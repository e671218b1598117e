/**
 * CloudFormation on one machine: stacks of JSON templates, made by calling the other services' operations. A
 * call answers when the stack stands (or is put back), so waiting for it ends at the first look. Not here:
 * change sets, nested stacks, macros, YAML, drift.
 */
import * as sdk from '@aws-sdk/client-cloudformation';
import { pageOf } from '../page.ts';
import type { LocalService } from '../service.ts';
import type { Stack } from './stack.ts';
import { type StackInput, Stacks, type StacksDeps } from './stacks.ts';
import { invalid, readTemplate } from './template.ts';

const stacksPage = 100;

export function cloudFormationService(deps: StacksDeps): LocalService & { readonly stacks: Stacks } {
  const stacks = new Stacks(deps);
  return {
    scope: 'cloudformation',
    sdk,
    stacks,
    operations: { ...changes(stacks), ...looks(stacks) },
  };
}

function changes(stacks: Stacks): LocalService['operations'] {
  return {
    async CreateStack(input: sdk.CreateStackCommandInput, context) {
      const keeps = input.DisableRollback === true || input.OnFailure === 'DO_NOTHING';
      const stack = await stacks.create(inputOf(input), context, !keeps);
      return { StackId: stack.id };
    },
    async UpdateStack(input: sdk.UpdateStackCommandInput, context) {
      const stack = stacks.require(String(input.StackName));
      const body = input.UsePreviousTemplate === true ? stack.body : undefined;
      await stacks.update(stack, inputOf(input, stack, body), context);
      return { StackId: stack.id };
    },
    /** Deleting what is not there is no error. */
    async DeleteStack({ StackName }: sdk.DeleteStackCommandInput, context) {
      const stack = stacks.find(String(StackName));
      if (stack !== undefined && stack.status !== 'DELETE_COMPLETE') await stacks.delete(stack, context);
    },
  };
}

function looks(stacks: Stacks): LocalService['operations'] {
  return {
    DescribeStacks({ StackName, NextToken }: sdk.DescribeStacksCommandInput) {
      if (StackName !== undefined) return { Stacks: [described(stacks.require(StackName))] };
      const there = stacks.all.filter(({ status }) => status !== 'DELETE_COMPLETE');
      const page = pageOf(there, stacksPage, NextToken);
      if (page === null) throw invalid('The NextToken is not valid.');
      return { Stacks: page.items.map(described), NextToken: page.next };
    },
    ListStacks({ StackStatusFilter }: sdk.ListStacksCommandInput) {
      const wanted = stacks.all.filter(
        ({ status }) => StackStatusFilter === undefined || StackStatusFilter.includes(status),
      );
      return { StackSummaries: wanted.map(described) };
    },
    DescribeStackResources({ StackName, LogicalResourceId }: sdk.DescribeStackResourcesCommandInput) {
      const stack = stacks.require(String(StackName));
      const all = resourcesOf(stack);
      return {
        StackResources: all.filter(
          (one) => LogicalResourceId === undefined || one.LogicalResourceId === LogicalResourceId,
        ),
      };
    },
    DescribeStackResource({ StackName, LogicalResourceId }: sdk.DescribeStackResourceCommandInput) {
      const stack = stacks.require(String(StackName));
      const found = resourcesOf(stack).find((one) => one.LogicalResourceId === LogicalResourceId);
      if (found !== undefined) return { StackResourceDetail: found };
      throw invalid(`Resource ${LogicalResourceId} does not exist for stack ${StackName}`);
    },
    ListStackResources: ({ StackName }: sdk.ListStackResourcesCommandInput) => ({
      StackResourceSummaries: resourcesOf(stacks.require(String(StackName))),
    }),
    DescribeStackEvents: ({ StackName }: sdk.DescribeStackEventsCommandInput) => ({
      StackEvents: eventsOf(stacks.require(String(StackName))),
    }),
    GetTemplate({ StackName }: sdk.GetTemplateCommandInput) {
      return {
        TemplateBody: stacks.require(String(StackName)).body,
        StagesAvailable: ['Original', 'Processed'],
      };
    },
    ValidateTemplate({ TemplateBody = '' }: sdk.ValidateTemplateCommandInput) {
      const { Description, Parameters } = readTemplate(TemplateBody);
      return {
        Description,
        Parameters: Object.entries(Parameters).map(([ParameterKey, one]) => ({
          ParameterKey,
          DefaultValue: one.Default === undefined ? undefined : String(one.Default),
          NoEcho: one.NoEcho ?? false,
          Description: one.Description,
        })),
      };
    },
    ListExports: () => ({
      Exports: stacks.all
        .filter(({ status }) => status !== 'DELETE_COMPLETE')
        .flatMap(({ id, outputs }) =>
          outputs.flatMap(({ exportName, value }) =>
            exportName === undefined ? [] : [{ ExportingStackId: id, Name: exportName, Value: value }],
          ),
        ),
    }),
  };
}

type Input = Pick<
  sdk.CreateStackCommandInput,
  'StackName' | 'TemplateBody' | 'TemplateURL' | 'Parameters' | 'Tags'
>;

function inputOf(input: Input, before?: Stack, previous?: string): StackInput {
  const body = previous ?? input.TemplateBody;
  if (body === undefined) {
    throw invalid('TemplateBody must be given: the local cloud fetches no template from a URL.');
  }
  const parameters = (input.Parameters ?? []).map(
    ({ ParameterKey = '', ParameterValue = '', UsePreviousValue }) =>
      [ParameterKey, UsePreviousValue ? (before?.parameters[ParameterKey] ?? '') : ParameterValue] as const,
  );
  return {
    name: String(input.StackName),
    body,
    parameters: Object.fromEntries(parameters),
    tags: input.Tags ?? before?.tags ?? [],
  };
}

const described = (stack: Stack) => ({
  StackId: stack.id,
  StackName: stack.name,
  StackStatus: stack.status,
  StackStatusReason: stack.reason ?? undefined,
  Description: stack.template.Description,
  CreationTime: new Date(stack.createdAt),
  LastUpdatedTime: stack.updatedAt === null ? undefined : new Date(stack.updatedAt),
  Parameters: Object.entries(stack.parameters).map(([ParameterKey, ParameterValue]) => ({
    ParameterKey,
    ParameterValue,
  })),
  Tags: [...stack.tags],
  Outputs: stack.outputs.map(({ key, value, description, exportName }) => ({
    OutputKey: key,
    OutputValue: value,
    Description: description,
    ExportName: exportName,
  })),
});

const resourcesOf = (stack: Stack) =>
  [...stack.resources].map(([LogicalResourceId, { id, type, status, changedAt }]) => ({
    StackId: stack.id,
    StackName: stack.name,
    LogicalResourceId,
    PhysicalResourceId: id,
    ResourceType: type,
    ResourceStatus: status,
    Timestamp: new Date(changedAt),
    LastUpdatedTimestamp: new Date(changedAt),
  }));

/** Newest first. */
const eventsOf = (stack: Stack) =>
  stack.events.toReversed().map(({ eventId, at, logicalId, physicalId, type, status, reason }) => ({
    StackId: stack.id,
    StackName: stack.name,
    EventId: eventId,
    Timestamp: new Date(at),
    LogicalResourceId: logicalId,
    PhysicalResourceId: physicalId,
    ResourceType: type,
    ResourceStatus: status,
    ResourceStatusReason: reason ?? undefined,
  }));
