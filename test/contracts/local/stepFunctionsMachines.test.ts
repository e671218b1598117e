/** State machines, their versions and aliases. */
import * as sfn from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import {
  client,
  clock,
  create,
  definitionOf,
  describeExecution,
  draws,
  failureOf,
  machineArn,
  pass,
  ran,
  roleArn,
  says,
  start,
  startedAt,
  useDesk,
  waiting,
} from './stepFunctionsDesk.ts';

useDesk();

describe('a state machine', () => {
  it('is created once; the same definition again changes nothing, another is refused', async () => {
    const first = await create(pass);
    expect(first).toMatchObject({ stateMachineArn: machineArn, creationDate: new Date(startedAt) });
    await clock.advance(5000);
    expect(await create(pass)).toMatchObject({ creationDate: new Date(startedAt) });
    expect(await failureOf(create(waiting))).toBeInstanceOf(sfn.StateMachineAlreadyExists);
  });

  it.each([
    ['no JSON', 'not a definition', 'INVALID_JSON_DESCRIPTION'],
    [
      'a wrong Next',
      definitionOf({ A: { Type: 'Pass', Next: 'B' } }),
      'leads to B, which does not exist. at /States/A',
    ],
    ['what is not run here', definitionOf({ A: { Type: 'Pass', Result: 1, End: true } }), '/States/A/Result'],
  ])('is refused for %s', async (_, definition, words) => {
    const failure = await failureOf(create(definition));
    expect(failure).toBeInstanceOf(sfn.InvalidDefinition);
    expect(failure?.message).toContain(words);
  });

  it('is refused for a name with a space, and as an express workflow', async () => {
    expect(await failureOf(create(pass, { name: 'a b' }))).toBeInstanceOf(sfn.InvalidName);
    expect(await failureOf(create(pass, { type: 'EXPRESS' }))).toBeInstanceOf(
      sfn.StateMachineTypeNotSupported,
    );
  });

  it('is described, listed, tagged and deleted', async () => {
    await create(pass, { tags: [{ key: 'team', value: 'a' }] });
    await create(pass, { name: 'rollback' });
    expect(
      await client.send(new sfn.DescribeStateMachineCommand({ stateMachineArn: machineArn })),
    ).toMatchObject({
      stateMachineArn: machineArn,
      name: 'rollout',
      status: 'ACTIVE',
      type: 'STANDARD',
      definition: pass,
      roleArn,
      revisionId: 'INITIAL',
      creationDate: new Date(startedAt),
    });
    const page = await client.send(new sfn.ListStateMachinesCommand({ maxResults: 1 }));
    expect(page.stateMachines?.map(({ name }) => name)).toEqual(['rollout']);
    const rest = await client.send(new sfn.ListStateMachinesCommand({ nextToken: page.nextToken }));
    expect(rest.stateMachines?.map(({ name }) => name)).toEqual(['rollback']);
    const { tags } = await client.send(new sfn.ListTagsForResourceCommand({ resourceArn: machineArn }));
    expect(tags).toEqual([{ key: 'team', value: 'a' }]);
    await client.send(new sfn.DeleteStateMachineCommand({ stateMachineArn: machineArn }));
    expect(await failureOf(start())).toBeInstanceOf(sfn.StateMachineDoesNotExist);
  });

  it('aborts what still runs when it is deleted', async () => {
    await create(waiting);
    const { executionArn } = await start();
    await client.send(new sfn.DeleteStateMachineCommand({ stateMachineArn: machineArn }));
    expect((await describeExecution(executionArn)).status).toBe('ABORTED');
  });

  it('is validated without being kept', async () => {
    const validate = (definition: string) =>
      client.send(new sfn.ValidateStateMachineDefinitionCommand({ definition }));
    expect(await validate(pass)).toMatchObject({ result: 'OK', diagnostics: [], truncated: false });
    expect(await validate(definitionOf({ A: { Type: 'Wait', End: true } }))).toMatchObject({
      result: 'FAIL',
      diagnostics: [
        {
          severity: 'ERROR',
          code: 'SCHEMA_VALIDATION_FAILED',
          message: 'a Wait state has exactly one of Seconds and Timestamp.',
          location: '/States/A',
        },
      ],
    });
    expect((await client.send(new sfn.ListStateMachinesCommand({}))).stateMachines).toEqual([]);
  });

  it('runs executions to their end with the definition they were started with', async () => {
    const slow = (word: string) =>
      definitionOf({
        A: { Type: 'Wait', Seconds: 10, Next: 'B' },
        B: { Type: 'Pass', Output: word, End: true },
      });
    await create(slow('old'));
    const { executionArn } = await start();
    const updated = await client.send(
      new sfn.UpdateStateMachineCommand({ stateMachineArn: machineArn, definition: slow('new') }),
    );
    expect(updated.updateDate).toEqual(new Date(startedAt));
    const { executionArn: later } = await start();
    await clock.advance(20_000);
    expect((await describeExecution(executionArn)).output).toBe('"old"');
    expect((await describeExecution(later)).output).toBe('"new"');
    expect(
      await client.send(new sfn.DescribeStateMachineForExecutionCommand({ executionArn })),
    ).toMatchObject({ definition: slow('old'), revisionId: 'INITIAL' });
  });

  it('is not updated with nothing, nor by a version’s ARN', async () => {
    await create(pass);
    const update = (input: sfn.UpdateStateMachineCommandInput) =>
      failureOf(client.send(new sfn.UpdateStateMachineCommand(input)));
    expect((await update({ stateMachineArn: machineArn }))?.name).toBe('MissingRequiredParameter');
    expect((await update({ stateMachineArn: `${machineArn}:1`, definition: pass }))?.name).toBe(
      'ValidationException',
    );
    expect((await update({ stateMachineArn: 'arn:aws:sqs:x:y:z', definition: pass }))?.name).toBe(
      'InvalidArn',
    );
  });
});

describe('versions and aliases', () => {
  const publish = (more: Partial<sfn.PublishStateMachineVersionCommandInput> = {}) =>
    client.send(new sfn.PublishStateMachineVersionCommand({ stateMachineArn: machineArn, ...more }));
  const update = (definition: string) =>
    client.send(new sfn.UpdateStateMachineCommand({ stateMachineArn: machineArn, definition }));
  const route = (version: number, weight: number) => ({
    stateMachineVersionArn: `${machineArn}:${version}`,
    weight,
  });
  const alias = (routingConfiguration: sfn.RoutingConfigurationListItem[], more = {}) =>
    client.send(new sfn.CreateStateMachineAliasCommand({ name: 'live', routingConfiguration, ...more }));
  const outputOf = async (stateMachineArn: string) => (await ran({ stateMachineArn })).output;

  it('a version stays what it was published as, and publishing the same revision again is the same version', async () => {
    await create(says('one'));
    expect((await publish()).stateMachineVersionArn).toBe(`${machineArn}:1`);
    expect((await publish()).stateMachineVersionArn).toBe(`${machineArn}:1`);
    const { revisionId } = await update(says('two'));
    expect((await publish({ revisionId, description: 'second' })).stateMachineVersionArn).toBe(
      `${machineArn}:2`,
    );
    expect(await outputOf(`${machineArn}:1`)).toBe('"one"');
    expect(await outputOf(`${machineArn}:2`)).toBe('"two"');
    expect(
      await client.send(new sfn.DescribeStateMachineCommand({ stateMachineArn: `${machineArn}:2` })),
    ).toMatchObject({ definition: says('two'), description: 'second' });
    const listed = await client.send(
      new sfn.ListStateMachineVersionsCommand({ stateMachineArn: machineArn }),
    );
    expect(listed.stateMachineVersions?.map((v) => v.stateMachineVersionArn)).toEqual([
      `${machineArn}:2`,
      `${machineArn}:1`,
    ]);
  });

  it('publishing a revision that is no longer the current one is a conflict', async () => {
    await create(says('one'));
    expect(await failureOf(publish({ revisionId: 'another' }))).toBeInstanceOf(sfn.ConflictException);
  });

  it('publish: true publishes on the way; a number is never used twice', async () => {
    expect(await create(says('one'), { publish: true })).toMatchObject({
      stateMachineVersionArn: `${machineArn}:1`,
    });
    await client.send(
      new sfn.DeleteStateMachineVersionCommand({ stateMachineVersionArn: `${machineArn}:1` }),
    );
    await update(says('two'));
    expect((await publish()).stateMachineVersionArn).toBe(`${machineArn}:2`);
    expect(await failureOf(start({ stateMachineArn: `${machineArn}:1` }))).toBeInstanceOf(
      sfn.StateMachineDoesNotExist,
    );
  });

  it('an alias sends executions to its versions by weight, and says which', async () => {
    await create(says('one'), { publish: true });
    await update(says('two'));
    await publish();
    await alias([route(1, 70), route(2, 30)]);
    draws.push(0.69);
    expect(await ran({ stateMachineArn: `${machineArn}:live` })).toMatchObject({
      output: '"one"',
      stateMachineArn: machineArn,
      stateMachineAliasArn: `${machineArn}:live`,
      stateMachineVersionArn: `${machineArn}:1`,
    });
    draws.push(0.7);
    expect(await outputOf(`${machineArn}:live`)).toBe('"two"');
    await client.send(
      new sfn.UpdateStateMachineAliasCommand({
        stateMachineAliasArn: `${machineArn}:live`,
        routingConfiguration: [route(2, 100)],
      }),
    );
    draws.push(0);
    expect(await outputOf(`${machineArn}:live`)).toBe('"two"');
    const byAlias = await client.send(
      new sfn.ListExecutionsCommand({ stateMachineArn: `${machineArn}:live` }),
    );
    expect(byAlias.executions?.length).toBe(3);
    const byVersion = await client.send(
      new sfn.ListExecutionsCommand({ stateMachineArn: `${machineArn}:1` }),
    );
    expect(byVersion.executions?.length).toBe(1);
  });

  it('an alias is described and listed, repeats itself only when it is the same, and protects its versions', async () => {
    await create(pass, { publish: true });
    await alias([route(1, 100)], { description: 'd' });
    await alias([route(1, 100)], { description: 'd' });
    expect(await failureOf(alias([route(1, 100)], { description: 'other' }))).toBeInstanceOf(
      sfn.ConflictException,
    );
    const stateMachineAliasArn = `${machineArn}:live`;
    expect(
      await client.send(new sfn.DescribeStateMachineAliasCommand({ stateMachineAliasArn })),
    ).toMatchObject({
      name: 'live',
      description: 'd',
      routingConfiguration: [route(1, 100)],
      creationDate: new Date(startedAt),
    });
    const { stateMachineAliases } = await client.send(
      new sfn.ListStateMachineAliasesCommand({ stateMachineArn: machineArn }),
    );
    expect(stateMachineAliases?.length).toBe(1);
    const deleteVersion = new sfn.DeleteStateMachineVersionCommand({
      stateMachineVersionArn: `${machineArn}:1`,
    });
    expect(await failureOf(client.send(deleteVersion))).toBeInstanceOf(sfn.ConflictException);
    await client.send(new sfn.DeleteStateMachineAliasCommand({ stateMachineAliasArn }));
    expect(await failureOf(start({ stateMachineArn: stateMachineAliasArn }))).toBeInstanceOf(
      sfn.StateMachineDoesNotExist,
    );
  });

  it.each<[string, (number | string)[][], string]>([
    [
      'less than 100',
      [
        [1, 70],
        [2, 29],
      ],
      'Sum of routing configuration weights must equal 100. Received: [70, 29]',
    ],
    [
      'one version twice',
      [
        [1, 50],
        [1, 50],
      ],
      'Routing configuration must contain distinct state machine version ARNs.',
    ],
    [
      'three versions',
      [
        [1, 50],
        [2, 30],
        [3, 20],
      ],
      'Member must have length',
    ],
    ['a version that does not exist', [[9, 100]], 'State Machine Does Not Exist'],
  ])('an alias is refused for %s', async (_, routes, words) => {
    await create(says('1'), { publish: true });
    for (const word of ['2', '3']) {
      await update(says(word));
      await publish();
    }
    const failure = await failureOf(
      alias(routes.map(([version, weight]) => route(Number(version), Number(weight)))),
    );
    expect(failure?.message).toContain(words);
  });

  it('an alias is refused for the ARN of the machine itself, and for a name of digits', async () => {
    await create(pass, { publish: true });
    const whole = await failureOf(alias([{ stateMachineVersionArn: machineArn, weight: 100 }]));
    expect(whole?.message).toContain('must contain state machine version ARNs');
    expect((await failureOf(alias([route(1, 100)], { name: '123' })))?.name).toBe('ValidationException');
  });
});
