'use client';

import { texts, useText } from '../text/text';
import { Count, Ratio, SignedWon, Won } from '../ui/figures';
import { Stat, Stats } from '../ui/layout';
import { formatFigure, type Performance } from './performance';
import css from './Figures.module.css';

const TEXT = texts(
  {
    equity: 'Equity',
    total: 'Total return',
    annual: 'Annualised',
    drawdown: 'Max drawdown',
    volatility: 'Volatility',
    sharpe: 'Sharpe',
    sortino: 'Sortino',
    valueAtRisk: 'VaR 95 %, a day',
    conditional: 'CVaR 95 %',
    benchmark: (symbol: string) => `Benchmark ${symbol}`,
    alpha: 'Alpha',
    beta: 'Beta',
    realized: 'Realised P&L',
    flows: 'Paid in − out',
    days: (count: number) => `${count} day${count === 1 ? '' : 's'}`,
    winDays: 'Days won',
    trades: 'Closed trades',
    won: (part: string) => `${part} won`,
    factor: 'Profit factor',
    noLoss: 'no loss',
    averageWin: 'Average win',
    averageLoss: 'Average loss',
    account: 'Figures of the account',
  },
  {
    equity: '총자산',
    total: '누적 수익률',
    annual: '연환산',
    drawdown: '최대 낙폭',
    volatility: '변동성',
    sharpe: '샤프',
    sortino: '소르티노',
    valueAtRisk: '일 VaR 95 %',
    conditional: 'CVaR 95 %',
    benchmark: (symbol: string) => `벤치마크 ${symbol}`,
    alpha: '알파',
    beta: '베타',
    realized: '실현손익',
    flows: '순입금',
    days: (count: number) => `${count}일`,
    winDays: '수익일 비율',
    trades: '청산 거래',
    won: (part: string) => `승률 ${part}`,
    factor: '손익비',
    noLoss: '손실 없음',
    averageWin: '평균 이익',
    averageLoss: '평균 손실',
    account: '계좌 지표',
  },
);

/** What the server says where nothing was lost. */
const NO_LOSS = 999.99;

function percentOf(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

/** The figures of a period: returns and risk of the days, the benchmark, outcomes of the closed trades. */
export function Figures({ figures }: { figures: Performance }) {
  const text = useText(TEXT);
  const { returns, benchmark, trades } = figures;
  return (
    <section className={css.figures} aria-label={text.account}>
      <Stats>
        <Stat name={text.equity} testId="equity">
          <Won value={figures.equity} />
        </Stat>
        <Stat name={text.total} testId="total-return" note={text.days(figures.days)}>
          <Ratio value={returns?.total_return} isSigned />
        </Stat>
        <Stat name={text.annual}>
          <Ratio value={returns?.annual_return} isSigned />
        </Stat>
        <Stat name={text.drawdown} testId="max-drawdown">
          <Ratio value={returns?.max_drawdown} isSigned />
        </Stat>
        <Stat name={text.volatility}>
          <Ratio value={returns?.volatility} />
        </Stat>
        <Stat name={text.sharpe}>{formatFigure(returns?.sharpe)}</Stat>
        <Stat name={text.sortino}>{formatFigure(returns?.sortino)}</Stat>
        <Stat name={text.valueAtRisk}>
          <Ratio value={returns?.var_95} />
        </Stat>
        <Stat name={text.conditional}>
          <Ratio value={returns?.cvar_95} />
        </Stat>
        <Stat name={text.winDays}>{returns == null ? '–' : percentOf(returns.win_rate)}</Stat>
      </Stats>
      <Stats>
        <Stat name={text.benchmark(benchmark?.symbol ?? '')} note={benchmark == null ? undefined : text.days(benchmark.days)}>
          <Ratio value={benchmark?.total_return} isSigned />
        </Stat>
        <Stat name={text.alpha}>
          <Ratio value={benchmark?.alpha} isSigned />
        </Stat>
        <Stat name={text.beta}>{formatFigure(benchmark?.beta)}</Stat>
        <Stat name={text.flows} testId="flows">
          <SignedWon value={figures.flows} />
        </Stat>
        <Stat name={text.realized} testId="realized">
          <SignedWon value={figures.realized_pnl} />
        </Stat>
        <Stat name={text.trades} testId="trades" note={trades == null ? undefined : text.won(percentOf(trades.win_rate))}>
          <Count value={trades?.trades ?? 0} />
        </Stat>
        <Stat name={text.factor}>{trades?.profit_factor === NO_LOSS ? text.noLoss : formatFigure(trades?.profit_factor)}</Stat>
        <Stat name={text.averageWin}>
          <SignedWon value={trades?.average_win} />
        </Stat>
        <Stat name={text.averageLoss}>
          <SignedWon value={trades?.average_loss} />
        </Stat>
      </Stats>
    </section>
  );
}
