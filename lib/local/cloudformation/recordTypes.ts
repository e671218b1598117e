/** What keeps and what watches: tables, log groups, alarms, parameters. */
import { formatArn } from '../arn.ts';
import { ServiceError } from '../service.ts';
import { asText, given, type Making, type Properties, type ResourceType } from './resourceType.ts';

async function tableSettings(TableName: string, properties: Properties, making: Making): Promise<void> {
  const { TimeToLiveSpecification, PointInTimeRecoverySpecification } = properties;
  if (TimeToLiveSpecification !== undefined) {
    await making.call('dynamodb', 'UpdateTimeToLive', { TableName, TimeToLiveSpecification });
  }
  if (PointInTimeRecoverySpecification !== undefined) {
    await making.call('dynamodb', 'UpdateContinuousBackups', { TableName, PointInTimeRecoverySpecification });
  }
}

const describedTable = async (TableName: string, making: Making) => {
  const { Table } = await making.call('dynamodb', 'DescribeTable', { TableName });
  const { TableArn, LatestStreamArn } = Table;
  return { id: TableName, attributes: given({ Arn: TableArn, StreamArn: LatestStreamArn }) };
};

const table: ResourceType = {
  fixed: ['TableName', 'KeySchema'],
  async create(properties, making) {
    const TableName = properties.TableName ?? making.name();
    const { TimeToLiveSpecification: _, PointInTimeRecoverySpecification: __, ...input } = properties;
    const { StreamSpecification } = properties;
    await making.call('dynamodb', 'CreateTable', {
      ...input,
      TableName,
      ...(StreamSpecification === undefined
        ? {}
        : { StreamSpecification: { StreamEnabled: true, ...StreamSpecification } }),
    });
    await tableSettings(TableName, properties, making);
    return describedTable(TableName, making);
  },
  async update(made, properties, making) {
    const { DeletionProtectionEnabled = false } = properties;
    await making.call('dynamodb', 'UpdateTable', { TableName: made.id, DeletionProtectionEnabled });
    await tableSettings(made.id, properties, making);
    return describedTable(made.id, making);
  },
  delete: (made, _, making) => making.call('dynamodb', 'DeleteTable', { TableName: made.id }),
};

/** A function that ran before its log group was made has made it itself. */
async function makeLogGroup(logGroupName: string, making: Making): Promise<void> {
  try {
    await making.call('logs', 'CreateLogGroup', { logGroupName });
  } catch (error) {
    if (!(error instanceof ServiceError && error.name === 'ResourceAlreadyExistsException')) throw error;
  }
}

async function setRetention(logGroupName: string, { RetentionInDays }: Properties, making: Making) {
  if (RetentionInDays === undefined) await making.call('logs', 'DeleteRetentionPolicy', { logGroupName });
  else {
    const retentionInDays = Number(RetentionInDays);
    await making.call('logs', 'PutRetentionPolicy', { logGroupName, retentionInDays });
  }
}

const logGroup: ResourceType = {
  fixed: ['LogGroupName'],
  async create(properties, making) {
    const name = properties.LogGroupName ?? making.name();
    await makeLogGroup(name, making);
    await setRetention(name, properties, making);
    return { id: name, attributes: { Arn: `${formatArn('logs', making.place, `log-group:${name}`)}:*` } };
  },
  async update(made, properties, making) {
    await setRetention(made.id, properties, making);
    return made;
  },
  delete: (made, _, making) => making.call('logs', 'DeleteLogGroup', { logGroupName: made.id }),
};

/** Kept in the stack; the local cloud makes no metrics of logs. */
const metricFilter: ResourceType = {
  create: async (_, making) => ({ id: making.name(), attributes: {} }),
  update: async (made) => made,
  delete: async () => undefined,
};

/** An alarm's operation takes what its resource is given. */
const alarm = (operation: 'PutMetricAlarm' | 'PutCompositeAlarm'): ResourceType => {
  const write = async (AlarmName: string, properties: Properties, making: Making) => {
    await making.call('monitoring', operation, { ...properties, AlarmName });
    return {
      id: AlarmName,
      attributes: { Arn: formatArn('cloudwatch', making.place, `alarm:${AlarmName}`) },
    };
  };
  return {
    fixed: ['AlarmName'],
    create: (properties, making) => write(properties.AlarmName ?? making.name(), properties, making),
    update: (made, properties, making) => write(made.id, properties, making),
    delete: (made, _, making) => making.call('monitoring', 'DeleteAlarms', { AlarmNames: [made.id] }),
  };
};

const parameter: ResourceType = {
  fixed: ['Name'],
  async create(properties, making) {
    const Name = properties.Name ?? making.name();
    const { Type, Value } = properties;
    await making.call('ssm', 'PutParameter', { Name, Type, Value: asText(Value), Overwrite: true });
    return { id: Name, attributes: { Type, Value } };
  },
  async update(made, { Type, Value }, making) {
    await making.call('ssm', 'PutParameter', { Name: made.id, Type, Value: asText(Value), Overwrite: true });
    return { ...made, attributes: { Type, Value } };
  },
  delete: (made, _, making) => making.call('ssm', 'DeleteParameter', { Name: made.id }),
};

export const recordTypes: Readonly<Record<string, ResourceType>> = {
  'AWS::DynamoDB::Table': table,
  'AWS::Logs::LogGroup': logGroup,
  'AWS::Logs::MetricFilter': metricFilter,
  'AWS::CloudWatch::Alarm': alarm('PutMetricAlarm'),
  'AWS::CloudWatch::CompositeAlarm': alarm('PutCompositeAlarm'),
  'AWS::SSM::Parameter': parameter,
};
