import { fileSink } from './file.ts';
import { openSearchSink } from './opensearch.ts';
import type { Sink } from './sink.ts';
import { splunkHecSink } from './splunk-hec.ts';
import { syslogSink } from './syslog.ts';
import { webhookSink } from './webhook.ts';

/** Every sink. Adding one is a file, a test that runs the sink contract, a line here, and a page. */
export const SINKS: readonly Sink[] = [fileSink, openSearchSink, splunkHecSink, syslogSink, webhookSink];
