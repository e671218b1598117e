import { describe, expect, it } from 'vitest';
import { type CommandName, cell, commands, type PhaseName, phases } from './matrix.ts';

/** Per command and outcome the phases that give it: `-` nothing to record, `!reason` a refusal. */
const decisions: Readonly<Record<CommandName, Readonly<Record<string, string>>>> = {
  Start: {
    RolloutStarted: 'none window-over rolled-back',
    '!rollout-active': `
      preparing prepared shifting baking passed previewed awaiting-approval approved paused held drifted
      all-passed promoting promoted rolling-back traffic-off`,
  },
  'Start again': {
    RolloutStarted: 'none',
    '-': `
      preparing prepared shifting baking passed previewed awaiting-approval approved paused held drifted
      all-passed promoting promoted window-over rolling-back traffic-off rolled-back`,
  },
  Enqueue: {
    '-': 'none window-over rolled-back',
    RolloutQueued: `
      preparing prepared shifting baking passed previewed awaiting-approval approved paused held drifted
      all-passed promoting promoted rolling-back traffic-off`,
  },
  DropQueued: {
    '-': `
      none preparing prepared shifting baking passed previewed awaiting-approval approved paused held
      drifted all-passed promoting promoted window-over rolling-back traffic-off rolled-back`,
  },
  TakeCheckpoint: {
    '!no-rollout': 'none',
    CheckpointTaken: `
      preparing prepared shifting baking passed previewed awaiting-approval approved paused held drifted
      all-passed promoting promoted window-over rolling-back traffic-off rolled-back`,
  },
  ConfirmPrepared: {
    '!no-rollout': 'none',
    CanaryPrepared: 'preparing',
    '-': `
      prepared shifting baking passed previewed awaiting-approval approved paused held drifted
      all-passed promoting promoted window-over rolling-back traffic-off rolled-back`,
  },
  OrderShift: {
    '!not-running': 'none promoted window-over rolled-back',
    '!not-cleared': `
      preparing baking awaiting-approval paused held drifted promoting rolling-back traffic-off`,
    ShiftOrdered: 'prepared passed approved',
    '-': 'shifting',
    '!needs-approval': 'previewed',
    '!no-step-left': 'all-passed',
  },
  'ConfirmShift 5': {
    '!no-rollout': 'none',
    '!superseded': `
      preparing prepared baking previewed awaiting-approval approved drifted all-passed promoting
      promoted window-over rolling-back traffic-off rolled-back`,
    TrafficShifted: 'shifting',
    '-': 'passed paused held',
  },
  'ConfirmShift 0': {
    '!no-rollout': 'none',
    '-': `
      preparing prepared previewed awaiting-approval approved traffic-off rolled-back`,
    '!superseded': `
      shifting baking passed paused held drifted all-passed promoting promoted window-over`,
    TrafficShifted: 'rolling-back',
  },
  'RecordAnalysis pass': {
    '!not-running': 'none promoted window-over rolled-back',
    AnalysisRecorded: `
      preparing prepared shifting baking previewed paused held drifted all-passed`,
    '-': 'passed awaiting-approval approved promoting rolling-back traffic-off',
  },
  'RecordAnalysis fail': {
    '!not-running': 'none promoted window-over rolled-back',
    'AnalysisRecorded + RollbackInitiated': `
      preparing prepared shifting baking passed previewed awaiting-approval approved paused held drifted
      all-passed promoting`,
    '-': 'rolling-back traffic-off',
  },
  'RecordAnalysis inconclusive': {
    '!not-running': 'none promoted window-over rolled-back',
    AnalysisRecorded: `
      preparing prepared shifting baking passed paused held drifted`,
    '-': `
      previewed awaiting-approval approved all-passed promoting rolling-back traffic-off`,
  },
  RequestApproval: {
    '!not-running': 'none promoted window-over rolled-back',
    '!no-approval-needed': `
      preparing prepared shifting baking passed paused held drifted all-passed promoting rolling-back
      traffic-off`,
    ApprovalRequested: 'previewed',
    '-': 'awaiting-approval approved',
  },
  Approve: {
    '!not-running': 'none promoted window-over rolled-back',
    '!nothing-to-approve': `
      preparing prepared shifting baking passed previewed paused held drifted all-passed promoting
      rolling-back traffic-off`,
    RolloutApproved: 'awaiting-approval',
    '-': 'approved',
  },
  Pause: {
    '!not-running': 'none promoted window-over rolled-back',
    '!cannot-pause': `
      preparing prepared shifting held drifted promoting rolling-back traffic-off`,
    RolloutPaused: 'baking passed previewed awaiting-approval approved all-passed',
    '-': 'paused',
  },
  Resume: {
    '!not-running': 'none promoted window-over rolled-back',
    '!not-paused': `
      preparing prepared shifting awaiting-approval approved promoting rolling-back traffic-off`,
    '-': 'baking passed previewed all-passed',
    RolloutResumed: 'paused held drifted',
  },
  Promote: {
    '!not-running': 'none promoted window-over rolled-back',
    '!cannot-promote': `
      preparing prepared shifting held drifted promoting rolling-back traffic-off`,
    RolloutApproved: 'baking passed previewed awaiting-approval paused all-passed',
    '-': 'approved',
  },
  PromoteFully: {
    '!not-running': 'none promoted window-over rolled-back',
    '!not-prepared': 'preparing',
    PromotionOrdered: `
      prepared shifting baking passed previewed awaiting-approval approved paused held drifted
      all-passed`,
    '-': 'promoting',
    '!rolling-back': 'rolling-back traffic-off',
  },
  OrderPromotion: {
    '!not-running': 'none promoted window-over rolled-back',
    '!not-cleared': `
      preparing prepared shifting baking passed previewed awaiting-approval approved paused held drifted
      rolling-back traffic-off`,
    PromotionOrdered: 'all-passed',
    '-': 'promoting',
  },
  ConfirmPromotion: {
    '!not-promoting': `
      none preparing prepared shifting baking passed previewed awaiting-approval approved paused held
      drifted all-passed rolling-back traffic-off rolled-back`,
    RolloutPromoted: 'promoting',
    '-': 'promoted window-over',
  },
  ConfirmCompletion: {
    '!not-promoted': `
      none preparing prepared shifting baking passed previewed awaiting-approval approved paused held
      drifted all-passed promoting rolling-back traffic-off rolled-back`,
    RolloutCompleted: 'promoted',
    '-': 'window-over',
  },
  'RollBack by a person': {
    '-': 'none rolling-back traffic-off rolled-back',
    RollbackInitiated: `
      preparing prepared shifting baking passed previewed awaiting-approval approved paused held drifted
      all-passed promoting promoted window-over`,
  },
  'RollBack by itself': {
    '-': 'none rolling-back traffic-off rolled-back',
    RollbackInitiated: `
      preparing prepared shifting baking passed previewed awaiting-approval approved paused held drifted
      all-passed promoting promoted`,
    '!window-over': 'window-over',
  },
  'RollBack after an outage': {
    '-': 'none promoted window-over rolling-back traffic-off rolled-back',
    RollbackInitiated: `
      preparing prepared shifting baking passed previewed awaiting-approval approved paused held drifted
      all-passed promoting`,
  },
  ConfirmRollback: {
    '!not-rolling-back': `
      none preparing prepared shifting baking passed previewed awaiting-approval approved paused held
      drifted all-passed promoting promoted window-over`,
    '!traffic-on': 'rolling-back',
    RollbackCompleted: 'traffic-off',
    '-': 'rolled-back',
  },
  'ReceiveAlarm ALARM': {
    AlarmReceived: 'none window-over rolling-back traffic-off rolled-back',
    'AlarmReceived + RollbackInitiated': `
      preparing prepared shifting baking passed previewed awaiting-approval approved paused held drifted
      all-passed promoting promoted`,
  },
  'ReceiveAlarm OK': {
    AlarmReceived: `
      none preparing prepared shifting baking passed previewed awaiting-approval approved paused held
      drifted all-passed promoting promoted window-over rolling-back traffic-off rolled-back`,
  },
  'FailHealth canary': {
    HealthCheckFailed: `
      none preparing prepared shifting baking passed previewed awaiting-approval approved paused held
      drifted all-passed promoting promoted window-over rolling-back traffic-off rolled-back`,
  },
  'FailHealth stable': {
    HealthCheckFailed: `
      none preparing prepared shifting baking passed previewed awaiting-approval approved paused held
      drifted all-passed promoting promoted window-over rolling-back traffic-off rolled-back`,
  },
  'FindDrift less': {
    '!not-running': 'none window-over rolled-back',
    '!not-less': 'preparing prepared shifting previewed awaiting-approval approved',
    'DriftFound + RolloutHeld': `
      baking passed paused held all-passed promoting promoted`,
    DriftFound: 'drifted',
    '!rolling-back': 'rolling-back traffic-off',
  },
  'FindDrift elsewhere': {
    '!not-running': 'none window-over rolled-back',
    'DriftFound + RolloutHeld': `
      preparing prepared shifting baking passed previewed awaiting-approval approved paused held
      all-passed promoting promoted`,
    DriftFound: 'drifted',
    '!rolling-back': 'rolling-back traffic-off',
  },
  Hold: {
    '!not-running': 'none promoted window-over rolled-back',
    RolloutHeld: `
      preparing prepared shifting baking passed previewed awaiting-approval approved paused held
      all-passed promoting`,
    '-': 'drifted',
    '!rolling-back': 'rolling-back traffic-off',
  },
  SetOverride: {
    OverrideSet: `
      none preparing prepared shifting baking passed previewed awaiting-approval approved paused held
      drifted all-passed promoting promoted window-over rolling-back traffic-off rolled-back`,
  },
  LiftOverride: {
    '-': `
      none preparing prepared shifting baking passed previewed awaiting-approval approved paused held
      drifted all-passed promoting promoted window-over rolling-back traffic-off rolled-back`,
  },
  RecordFallBack: {
    FellBack: 'none promoted window-over rolling-back traffic-off rolled-back',
    'FellBack + RolloutHeld': 'preparing prepared shifting previewed awaiting-approval approved',
    'FellBack + DriftFound + RolloutHeld': 'baking passed paused held all-passed promoting',
    'FellBack + DriftFound': 'drifted',
  },
  'RecordFallBack elsewhere': {
    FellBack: `
      none drifted promoted window-over rolling-back traffic-off rolled-back`,
    'FellBack + RolloutHeld': `
      preparing prepared shifting baking passed previewed awaiting-approval approved paused held
      all-passed promoting`,
  },
};

const words = (list: string): string[] => list.trim().split(/\s+/);
const names = Object.keys(phases) as PhaseName[];

describe.each(Object.keys(commands) as CommandName[])('%s', (name) => {
  const expected = new Map(
    Object.entries(decisions[name]).flatMap(([outcome, list]) =>
      words(list).map((phase) => [phase, outcome] as const),
    ),
  );

  it.each(names)('%s', (phase) => {
    expect(cell(phases[phase], commands[name])).toBe(expected.get(phase));
  });

  it('knows each phase once', () => {
    expect(words(Object.values(decisions[name]).join(' ')).sort()).toEqual([...names].sort());
  });
});
