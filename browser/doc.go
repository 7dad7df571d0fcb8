// Package browser tests the pages of halfopen in a browser: Chromium without a window, which
// chromedp drives. It is a module of its own, so that halfopen does not depend on these.
//
//	make browser
package browser
