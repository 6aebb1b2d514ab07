/** The gates that stand before a re-entry, in the order in which they are asked. */

import type { z } from 'zod';

import { zCandidate } from '../api/generated/zod.gen';
import { texts } from '../text/text';

export type Candidate = z.infer<typeof zCandidate>;

export const GATES = ['G0', 'G0.5', 'G1', 'G2', 'TRIGGER', 'CONTROL', 'G3', 'G4', 'G5', 'BROKER'] as const;

export type Gate = (typeof GATES)[number];

/** `ahead`: not asked yet, or never more. */
export type GateState = 'passed' | 'waiting' | 'blocked' | 'ahead';

export interface GateStand {
  gate: Gate;
  state: GateState;
}

/** Returns how a candidate stands before each gate. The broker is named only where it has refused. */
export function gatesOf(candidate: Candidate): GateStand[] {
  const { state, blocked_gate: blocked, cooldown_until: cooldown } = candidate;
  const shown = GATES.filter((gate) => gate !== 'BROKER' || blocked === 'BROKER');
  if (state === 'ENTERED' || state === 'READY') return shown.map((gate) => ({ gate, state: 'passed' }));
  if (state === 'COOLDOWN') return shown.map((gate) => ({ gate, state: gate === 'G1' ? 'waiting' : 'ahead' }));
  // Refused at first sight: the cooldown never began, and the pause of everything is asked before all else.
  const isAtSight = cooldown == null;
  const stop = shown.findIndex((gate) => gate === (blocked ?? 'TRIGGER'));
  const here: GateState = blocked != null ? 'blocked' : state === 'WATCH' ? 'waiting' : 'ahead';
  return shown.map((gate, index) => {
    if (index === stop) return { gate, state: here };
    if (gate === 'G1') return { gate, state: isAtSight ? 'ahead' : 'passed' };
    if (isAtSight && blocked === 'CONTROL') return { gate, state: 'ahead' };
    return { gate, state: index < stop ? 'passed' : 'ahead' };
  });
}

export const ENDED: readonly string[] = ['ENTERED', 'EXPIRED', 'BLOCKED'];

/** Whether it may still be bought back, or ended by hand: one that has bought may buy once more. */
export function isOpen(candidate: Candidate): boolean {
  return !ENDED.includes(candidate.state);
}

export const GATE_TEXT = texts(
  {
    G0: 'Regime allows entries',
    'G0.5': 'Exit reason is allowed under the regime',
    G1: 'Cooldown is over',
    G2: 'Counts of the symbol, blacklist',
    TRIGGER: 'Price has reached the trigger',
    CONTROL: 'Mode, windows, emergency stop',
    G3: 'Positions and exposure below their limits',
    G4: 'Loss of the day below its limit',
    G5: 'Price is fresh',
    BROKER: 'The broker takes the order',
    passed: 'passed',
    waiting: 'waits here',
    blocked: 'blocked',
    ahead: 'not asked',
    TRIGGER_short: 'Tr',
    CONTROL_short: 'Ct',
    BROKER_short: 'Br',
  },
  {
    G0: '시장 국면 진입 허용',
    'G0.5': '현재 국면에서 허용되는 청산 사유',
    G1: '쿨다운 종료',
    G2: '종목별 횟수·블랙리스트',
    TRIGGER: '트리거 가격 도달',
    CONTROL: '모드·시간대·긴급정지',
    G3: '포지션 수·익스포저 한도',
    G4: '일일 손실 한도',
    G5: '최신 시세',
    BROKER: '증권사 접수',
    passed: '통과',
    waiting: '대기 중',
    blocked: '차단',
    ahead: '미판정',
    TRIGGER_short: '트리거',
    CONTROL_short: '제어',
    BROKER_short: '증권사',
  },
);
