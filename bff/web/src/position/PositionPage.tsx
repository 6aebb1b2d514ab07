'use client';

import { Suspense } from 'react';

import { useParams } from '../shell/address';
import { NAV_TEXT } from '../shell/nav';
import { useText } from '../text/text';
import { Page } from '../ui/layout';
import { Panel } from '../ui/Panel';
import { Chooser } from './Chooser';
import { PositionView } from './PositionView';
import { usePosition } from './reads';
import { POSITION_TEXT } from './text';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The position of the address: it is being read, gone, or there. */
function Chosen({ id, onChoose }: { id: string; onChoose: (id: string) => void }) {
  const pages = useText(NAV_TEXT);
  const text = useText(POSITION_TEXT);
  const { data, fault, isLoading, retry } = usePosition(id);
  if (data !== undefined) return <PositionView key={id} position={data} onChoose={onChoose} />;
  const isGone = fault?.code === 'NOT_FOUND';
  return (
    <Page title={pages.position}>
      <Panel title={pages.position} isLoading={isLoading} fault={isGone ? null : fault} onRetry={retry} empty={isGone ? text.gone : null} />
      {isGone && <Chooser onOpen={onChoose} />}
    </Page>
  );
}

function Chooses() {
  const pages = useText(NAV_TEXT);
  const text = useText(POSITION_TEXT);
  const [{ id }, setParams] = useParams(['id']);
  const choose = (chosen: string) => setParams({ id: chosen }, true);
  if (id !== null && UUID.test(id)) return <Chosen id={id} onChoose={choose} />;
  return (
    <Page title={pages.position}>
      {id !== null && <Panel title={id} empty={text.gone} />}
      <Chooser onOpen={choose} />
    </Page>
  );
}

/** The page of one position: `/position/?id=…`; without an id one is chosen. */
export function PositionPage() {
  return (
    <Suspense fallback={null}>
      <Chooses />
    </Suspense>
  );
}
