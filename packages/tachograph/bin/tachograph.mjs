#!/usr/bin/env node
// A file of its own, since npm links commands at installation, when nothing is built yet.
import '../dist/main.js';
