'use client';

import dynamic from 'next/dynamic';

/** Candles and volume of a symbol. What draws them comes after the page, since few pages need it. */
export const CandleChart = dynamic(() => import('./Candles').then(({ Candles }) => Candles), { ssr: false });
