/** An API that can be asked for payments, one by one (RFC 9396). */
import type { DetailType } from '../../src/clients/detail-types.ts';
import type { Running } from './gatehouse.ts';

export const PAYMENT: DetailType = {
  type: 'payment_initiation',
  title: 'Make one payment',
  fields: [
    {
      name: 'actions',
      kind: 'strings',
      title: 'What it may do',
      required: true,
      options: ['initiate', 'status', 'cancel'],
    },
    {
      name: 'instructedAmount',
      kind: 'object',
      title: 'Amount',
      required: true,
      fields: [
        { name: 'amount', kind: 'string', required: true },
        { name: 'currency', kind: 'string', required: true, options: ['EUR', 'USD'] },
      ],
    },
    { name: 'creditorName', kind: 'string', title: 'To' },
    { name: 'urgent', kind: 'boolean', title: 'Urgent' },
    { name: 'copies', kind: 'number', title: 'Copies' },
  ],
};

export const payment = (more: Record<string, unknown> = {}) => ({
  type: PAYMENT.type,
  actions: ['initiate', 'status'],
  instructedAmount: { currency: 'EUR', amount: '123.50' },
  creditorName: 'Merchant A',
  ...more,
});

export const bank = (gatehouse: Running, input: Parameters<Running['app']>[0] = {}) =>
  gatehouse.app({ type: 'api', name: 'The Bank', scope: 'accounts', detail_types: [PAYMENT], ...input });

/** The parameter. */
export const asking = (...details: object[]) => ({ authorization_details: JSON.stringify(details) });
