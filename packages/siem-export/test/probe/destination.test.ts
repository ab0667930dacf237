import { describe, expect, it } from '@jest/globals';
import { destinationText, endpointsOf } from '../../src/probe/destination.ts';
import { describeRoute } from '../../src/routes-file/described-route.ts';

describe('a destination in words', () => {
  it.each([
    [{ type: 'file', stem: 'siem', bytesMax: 7 }, 'file siem.ndjson'],
    [{ type: 'post', url: 'https://siem.example:8088/services' }, 'post https://siem.example:8088'],
    [{ type: 'syslog', host: 'siem.example', port: 6514, transport: 'tls' }, 'syslog siem.example:6514'],
    [
      { type: 'search', nodes: ['https://a.example', 'https://b.example:9200'], index: 'audit' },
      'search https://a.example, https://b.example:9200, index audit',
    ],
    [{ type: 'kafka', brokers: ['k1:9092', 'k2:9092'], topic: 'siem' }, 'kafka k1:9092, k2:9092, topic siem'],
    [{ type: 'fax', number: '555' }, 'fax'],
  ])('of %j is "%s"', (config, text) => {
    expect(destinationText(config)).toBe(text);
  });

  it('shows nothing that may be secret: no path, no query, no user, no setting that is not a place', () => {
    const secret = 'hunter2';
    const config = {
      type: 'post',
      url: `https://user:${secret}@hooks.example/services/${secret}?key=${secret}`,
      token: { env: 'TOKEN' },
      password: secret,
      headers: { key: secret },
    };
    const route = describeRoute({ name: 'a', tenants: '*', format: 'raw', sink: config });
    expect(route.destination).toBe('post https://hooks.example');
    expect(JSON.stringify(route)).not.toContain(secret);
  });
});

describe('what must be reached for a destination', () => {
  it.each([
    [{ type: 'file', stem: 'siem' }, []],
    [{ type: 'post', url: 'https://siem.example/x' }, [{ host: 'siem.example', port: 443, tls: true }]],
    [{ type: 'post', url: 'http://[::1]:8080' }, [{ host: '::1', port: 8080, tls: false }]],
    [{ type: 'syslog', host: 'h', port: 514, transport: 'tcp' }, [{ host: 'h', port: 514, tls: false }]],
    [{ type: 'syslog', host: 'h', port: 514, transport: 'udp' }, []],
  ])('of %j is %j', (config, endpoints) => {
    expect(endpointsOf(config)).toEqual(endpoints);
  });
});

describe('a route in words', () => {
  it('has its defaults', () => {
    const sink = { type: 'file', stem: 'siem' };
    expect(describeRoute({ name: 'siem', tenants: ['acme'], format: 'raw', sink })).toEqual({
      name: 'siem',
      tenants: ['acme'],
      actions: null,
      format: 'raw',
      time: 'occurred',
      destination: 'file siem.ndjson',
      deadLetters: 'dead-letters-siem.ndjson',
    });
    const auto = { auto: { olderThanHours: 48 } };
    expect(describeRoute({ name: 'siem', tenants: '*', format: 'raw', sink, time: auto }).time).toBe(
      'auto, 48 h',
    );
  });
});
