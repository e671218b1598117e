/** Functions and what brings events to them; state machines, their versions and aliases. */
import { given, type Making, type Properties, type ResourceType, tagMap } from './resourceType.ts';

const configured = [
  'DeadLetterConfig',
  'Description',
  'Environment',
  'Handler',
  'LoggingConfig',
  'MemorySize',
  'Role',
  'Runtime',
  'Timeout',
  'TracingConfig',
];

const pick = (properties: Properties, names: readonly string[]) =>
  given(Object.fromEntries(names.map((name) => [name, properties[name]])));

/** Functions are run from this machine's files: the package's place is asked for, not its bytes. */
const codeOf = ({ Code, Handler }: Properties, functionName: string, making: Making) => ({
  S3Bucket: 'hot-reload',
  S3Key: making.codePath({
    bucket: String(Code.S3Bucket),
    key: String(Code.S3Key),
    handler: Handler,
    functionName,
  }),
});

/** A handler is named by its file in the package; the file itself is what runs here. */
const handlerOf = ({ Handler = '' }: Properties): string => Handler.split('/').at(-1) ?? Handler;

async function setConcurrency(FunctionName: string, properties: Properties, making: Making): Promise<void> {
  const reserved = properties.ReservedConcurrentExecutions;
  if (reserved === undefined) await making.call('lambda', 'DeleteFunctionConcurrency', { FunctionName });
  else {
    await making.call('lambda', 'PutFunctionConcurrency', {
      FunctionName,
      ReservedConcurrentExecutions: Number(reserved),
    });
  }
}

const lambdaFunction: ResourceType = {
  fixed: ['FunctionName'],
  async create(properties, making) {
    const FunctionName = properties.FunctionName ?? making.name();
    const { FunctionArn } = await making.call('lambda', 'CreateFunction', {
      ...pick(properties, configured),
      FunctionName,
      Handler: handlerOf(properties),
      Code: codeOf(properties, FunctionName, making),
      Tags: tagMap(properties.Tags),
    });
    await setConcurrency(FunctionName, properties, making);
    return { id: FunctionName, attributes: { Arn: FunctionArn } };
  },
  async update(made, properties, making) {
    const FunctionName = made.id;
    const settings = { ...pick(properties, configured), Handler: handlerOf(properties) };
    await making.call('lambda', 'UpdateFunctionConfiguration', { ...settings, FunctionName });
    const code = codeOf(properties, FunctionName, making);
    await making.call('lambda', 'UpdateFunctionCode', { FunctionName, ...code });
    await setConcurrency(FunctionName, properties, making);
    return made;
  },
  delete: (made, _, making) => making.call('lambda', 'DeleteFunction', { FunctionName: made.id }),
};

const permission: ResourceType = {
  async create({ FunctionName, ...properties }, making) {
    const StatementId = making.name();
    await making.call('lambda', 'AddPermission', { FunctionName, StatementId, ...properties });
    return { id: StatementId, attributes: { Id: StatementId } };
  },
  delete: (made, { FunctionName }, making) =>
    making.call('lambda', 'RemovePermission', { FunctionName, StatementId: made.id }),
};

const eventSourceMapping: ResourceType = {
  fixed: ['EventSourceArn', 'StartingPosition'],
  async create(properties, making) {
    const { Tags: _, ...input } = properties;
    const { UUID } = await making.call('lambda', 'CreateEventSourceMapping', input);
    return { id: UUID, attributes: { Id: UUID } };
  },
  async update(made, { EventSourceArn: _, StartingPosition: __, Tags: ___, ...input }, making) {
    await making.call('lambda', 'UpdateEventSourceMapping', { UUID: made.id, ...input });
    return made;
  },
  delete: (made, _, making) => making.call('lambda', 'DeleteEventSourceMapping', { UUID: made.id }),
};

const invokeConfig: ResourceType = {
  fixed: ['FunctionName', 'Qualifier'],
  async create(properties, making) {
    await making.call('lambda', 'PutFunctionEventInvokeConfig', properties);
    return { id: making.name(), attributes: {} };
  },
  async update(made, properties, making) {
    await making.call('lambda', 'PutFunctionEventInvokeConfig', properties);
    return made;
  },
  delete: (_, { FunctionName, Qualifier }, making) =>
    making.call('lambda', 'DeleteFunctionEventInvokeConfig', { FunctionName, Qualifier }),
};

/** The definition with its substitutions, as its text. */
function definitionOf({ Definition, DefinitionString, DefinitionSubstitutions = {} }: Properties): string {
  const text: string = DefinitionString ?? JSON.stringify(Definition);
  return text.replace(/\$\{(\w+)\}/g, (whole, name: string) =>
    name in DefinitionSubstitutions ? String(DefinitionSubstitutions[name]) : whole,
  );
}

const describedMachine = async (arn: string, making: Making) => {
  const { name, revisionId } = await making.call('states', 'DescribeStateMachine', { stateMachineArn: arn });
  return { id: arn, attributes: { Arn: arn, Name: name, StateMachineRevisionId: revisionId ?? 'INITIAL' } };
};

const stateMachine: ResourceType = {
  fixed: ['StateMachineName', 'StateMachineType'],
  async create(properties, making) {
    const { stateMachineArn } = await making.call('states', 'CreateStateMachine', {
      name: properties.StateMachineName ?? making.name(),
      definition: definitionOf(properties),
      roleArn: properties.RoleArn,
      type: properties.StateMachineType ?? 'STANDARD',
    });
    return describedMachine(stateMachineArn, making);
  },
  async update(made, properties, making) {
    await making.call('states', 'UpdateStateMachine', {
      stateMachineArn: made.id,
      definition: definitionOf(properties),
      roleArn: properties.RoleArn,
    });
    return describedMachine(made.id, making);
  },
  delete: (made, _, making) => making.call('states', 'DeleteStateMachine', { stateMachineArn: made.id }),
};

const machineVersion: ResourceType = {
  async create({ StateMachineArn, Description }, making) {
    const { stateMachineVersionArn } = await making.call('states', 'PublishStateMachineVersion', {
      stateMachineArn: StateMachineArn,
      ...given({ description: Description }),
    });
    return { id: stateMachineVersionArn, attributes: { Arn: stateMachineVersionArn } };
  },
  delete: (made, _, making) =>
    making.call('states', 'DeleteStateMachineVersion', { stateMachineVersionArn: made.id }),
};

const routesOf = ({ DeploymentPreference, RoutingConfiguration = [] }: Properties) =>
  DeploymentPreference === undefined
    ? RoutingConfiguration.map((route: Properties) => ({
        stateMachineVersionArn: route.StateMachineVersionArn,
        weight: route.Weight,
      }))
    : [{ stateMachineVersionArn: DeploymentPreference.StateMachineVersionArn, weight: 100 }];

const machineAlias: ResourceType = {
  fixed: ['Name'],
  async create(properties, making) {
    const { stateMachineAliasArn } = await making.call('states', 'CreateStateMachineAlias', {
      name: properties.Name,
      routingConfiguration: routesOf(properties),
    });
    return { id: stateMachineAliasArn, attributes: { Arn: stateMachineAliasArn } };
  },
  async update(made, properties, making) {
    await making.call('states', 'UpdateStateMachineAlias', {
      stateMachineAliasArn: made.id,
      routingConfiguration: routesOf(properties),
    });
    return made;
  },
  delete: (made, _, making) =>
    making.call('states', 'DeleteStateMachineAlias', { stateMachineAliasArn: made.id }),
};

export const computeTypes: Readonly<Record<string, ResourceType>> = {
  'AWS::Lambda::Function': lambdaFunction,
  'AWS::Lambda::Permission': permission,
  'AWS::Lambda::EventSourceMapping': eventSourceMapping,
  'AWS::Lambda::EventInvokeConfig': invokeConfig,
  'AWS::StepFunctions::StateMachine': stateMachine,
  'AWS::StepFunctions::StateMachineVersion': machineVersion,
  'AWS::StepFunctions::StateMachineAlias': machineAlias,
};
