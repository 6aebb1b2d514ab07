/** Why a rule sells or does not, in plain words. */

import { texts } from '../text/text';

export const WHY_TEXT = texts(
  {
    title: 'Why, and why not',
    rule: 'Rule',
    level: 'Level',
    away: 'To go',
    won: 'Per share',
    shares: (shares: string, held: string) => `sells ${shares} of ${held}`,
    all: 'sells all',
    checked: 'last sample',
    then: (percent: string) => `${percent} then`,
    reached: 'reached',
    waiting: 'waits',
    done: 'done',
    underway: 'selling',
    paused: 'paused',
    BELOW: (won: string) => `Fires when the bid falls ${won} won more.`,
    ABOVE: (won: string) => `Fires when the bid rises ${won} won more.`,
    brings: (won: string) => `Result then ${won} won.`,
    REACHED: 'The price is there: it is decided with the next tick that is judged.',
    unpriced: 'No price yet: nothing is judged without one.',
    TWICE: 'Only after two checks in a row, three seconds apart.',
    AFTER: (reason: string) => `Its turn comes after ${reason} has sold.`,
    PAST: 'The position is past the phase in which it counts.',
    SPENT: 'It has sold in this phase, and does so once.',
    UNDERWAY: (status: string) => `Its order is under way: ${status}.`,
    MARK: (price: string) => `Counts once the high-water mark is at ${price}.`,
    NO_MARK: 'Its level follows the high-water mark, and none is known yet.',
    NO_CLOSE: 'It needs the close of the day before, which is not known.',
    OPENING: (seconds: string) => `Counts in the first ${seconds} seconds of the session only.`,
    PAUSED: (mode: string) => `Would not sell: exits are set to ${mode}.`,
    due: (when: string) => `Sells on ${when}, held too long.`,
    idle: (when: string, profit: string) => `Sells on ${when} unless the best price has been ${profit} above the cost.`,
    off: (names: string) => `Off in this profile: ${names}.`,
    none: 'The engine has told no levels of this position yet.',
    closed: 'The position is closed: no rule is judged any more.',
    closedBy: (reason: string, time: string) => `Closed by ${reason}, ${time}.`,
    judged: (price: string, sign: string, level: string) => `Judged at ${price}, ${sign} its level ${level}.`,
    under: 'at or below',
    over: 'at or above',
    brought: (won: string, percent: string) => `It brought ${won} won net, ${percent}.`,
    DISABLED: 'Exits of this position are DISABLED: no rule is judged, and nobody may sell it.',
    MANUAL_ONLY: 'Exits of this position are MANUAL_ONLY: no rule is judged, only you sell it.',
    staleNow: 'The price is too old: no rule is judged until a new one comes.',
    withheld: 'Withheld',
    noWithheld: 'Nothing was withheld: every rule that was reached was decided.',
    priceAt: (price: string, level: string) => `at ${price}, level ${level}`,
    earlier: 'Earlier ones',
    MODE: 'The control mode does not let it through.',
    SEVERITY: 'An order at least as severe is under way.',
    QUANTITY: 'Every share is in an order already.',
    ATTEMPTS: 'It was tried as often as it may be, or the next try is not due yet.',
    withheldAt: (time: string, why: string) => `Withheld ${time}: ${why}`,
  },
  {
    title: '발동 조건과 이유',
    rule: '규칙',
    level: '레벨',
    away: '남은 거리',
    won: '주당',
    shares: (shares: string, held: string) => `${held}주 중 ${shares}주 매도`,
    all: '전량 매도',
    checked: '최근 평가',
    then: (percent: string) => `당시 ${percent}`,
    reached: '도달',
    waiting: '대기',
    done: '완료',
    underway: '매도 중',
    paused: '정지',
    BELOW: (won: string) => `매수호가가 ${won}원 더 내리면 발동합니다.`,
    ABOVE: (won: string) => `매수호가가 ${won}원 더 오르면 발동합니다.`,
    brings: (won: string) => `발동 시 손익 ${won}원.`,
    REACHED: '가격이 도달했습니다. 다음 평가 틱에서 결정됩니다.',
    unpriced: '아직 시세가 없습니다. 시세 없이는 평가하지 않습니다.',
    TWICE: '3초 간격으로 두 번 연속 확인되어야 합니다.',
    AFTER: (reason: string) => `${reason} 매도 이후에 적용됩니다.`,
    PAST: '적용되는 단계가 지났습니다.',
    SPENT: '이 단계에서 이미 매도했습니다. 한 번만 실행됩니다.',
    UNDERWAY: (status: string) => `주문 진행 중: ${status}.`,
    MARK: (price: string) => `최고가가 ${price} 이상이어야 적용됩니다.`,
    NO_MARK: '최고가를 따르는 레벨인데 아직 최고가가 없습니다.',
    NO_CLOSE: '전일 종가가 필요한데 아직 없습니다.',
    OPENING: (seconds: string) => `장 시작 후 ${seconds}초 동안만 적용됩니다.`,
    PAUSED: (mode: string) => `매도하지 않습니다: 청산 모드 ${mode}.`,
    due: (when: string) => `보유 기간 초과로 ${when}에 매도합니다.`,
    idle: (when: string, profit: string) => `최고가가 평단 대비 ${profit}에 못 미치면 ${when}에 매도합니다.`,
    off: (names: string) => `이 프로필에서 꺼짐: ${names}.`,
    none: '엔진이 아직 이 포지션의 레벨을 알리지 않았습니다.',
    closed: '종료된 포지션입니다. 규칙을 더 평가하지 않습니다.',
    closedBy: (reason: string, time: string) => `${time}, ${reason}(으)로 종료되었습니다.`,
    judged: (price: string, sign: string, level: string) => `판단가 ${price}, 기준 ${level} ${sign}.`,
    under: '이하',
    over: '이상',
    brought: (won: string, percent: string) => `실현손익 ${won}원, ${percent}.`,
    DISABLED: '이 포지션의 청산은 DISABLED입니다. 규칙을 평가하지 않으며 매도할 수 없습니다.',
    MANUAL_ONLY: '이 포지션의 청산은 MANUAL_ONLY입니다. 규칙을 평가하지 않으며 수동 매도만 가능합니다.',
    staleNow: '시세가 오래되어 새 시세가 올 때까지 규칙을 평가하지 않습니다.',
    withheld: '보류된 발동',
    noWithheld: '보류된 발동이 없습니다. 도달한 규칙은 모두 결정되었습니다.',
    priceAt: (price: string, level: string) => `판단가 ${price}, 기준 ${level}`,
    earlier: '이전 내역',
    MODE: '제어 모드가 허용하지 않습니다.',
    SEVERITY: '같거나 더 강한 주문이 진행 중입니다.',
    QUANTITY: '모든 주식이 이미 주문 중입니다.',
    ATTEMPTS: '허용 횟수만큼 시도했거나 다음 시도 시각이 되지 않았습니다.',
    withheldAt: (time: string, why: string) => `${time} 보류: ${why}`,
  },
);

export type WhyText = (typeof WHY_TEXT)['en'];

/** Returns why a hit was withheld. */
export function withheldWhy(text: WhyText, why: string): string {
  switch (why) {
    case 'MODE':
      return text.MODE;
    case 'SEVERITY':
      return text.SEVERITY;
    case 'QUANTITY':
      return text.QUANTITY;
    case 'ATTEMPTS':
      return text.ATTEMPTS;
    default:
      return why.replaceAll('_', ' ');
  }
}
