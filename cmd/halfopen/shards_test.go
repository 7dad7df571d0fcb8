package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// workflow has the parts of a workflow of GitHub Actions that say what runs.
type workflow struct {
	Jobs map[string]struct {
		Strategy struct{ Matrix struct{ Shard []int } }
		Env      map[string]string
		Steps    []struct{ Run string }
	}
}

// indexedJob has the same parts of a Job of Kubernetes.
type indexedJob struct {
	Spec struct {
		Completions    int
		CompletionMode string `yaml:"completionMode"`
		Template       struct {
			Spec struct {
				Containers []struct {
					Env           []struct{ Name, Value string }
					Command, Args []string
				}
			}
		}
	}
}

// shardsOf returns what the documentation has each machine run, with which variables, and then
// what merges the reports.
func shardsOf(t *testing.T) map[string][]shard {
	t.Helper()
	page, err := os.ReadFile("../../docs/shards.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 2 {
		t.Fatalf("got %d blocks of YAML, want 2", len(blocks))
	}
	var w workflow
	var j indexedJob
	for i, into := range []any{&w, &j} {
		if err := yaml.Unmarshal([]byte(blocks[i][1]), into); err != nil {
			t.Fatal(err)
		}
	}
	all := make(map[string][]shard)
	job := w.Jobs["explore"]
	for _, index := range job.Strategy.Matrix.Shard {
		matrix := strings.NewReplacer("${{ matrix.shard }}", fmt.Sprint(index))
		var s shard
		for name, value := range job.Env { // in any order: it is a set
			s.env = append(s.env, name+"="+matrix.Replace(value))
		}
		for _, step := range job.Steps {
			if strings.HasPrefix(step.Run, "halfopen ") {
				s.command = matrix.Replace(step.Run)
			}
		}
		all["GitHub Actions"] = append(all["GitHub Actions"], s)
	}
	if j.Spec.CompletionMode != "Indexed" {
		t.Errorf("the mode of the Job is %q, which has no index", j.Spec.CompletionMode)
	}
	pod := j.Spec.Template.Spec.Containers[0]
	for index := range j.Spec.Completions {
		s := shard{command: pod.Args[0], env: []string{fmt.Sprint("JOB_COMPLETION_INDEX=", index)}}
		for _, v := range pod.Env {
			s.env = append(s.env, v.Name+"="+v.Value)
		}
		all["Kubernetes"] = append(all["Kubernetes"], s)
	}
	return all
}

type shard struct {
	env     []string
	command string // of a shell
}

// The commands of the documentation, each as a process with exactly the variables that a
// workflow or a cluster sets, merge to the report of one process. A lost shard and a repeated
// one are refused.
func TestShardsOfMachines(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the commands are those of a shell")
	}
	dir := t.TempDir()
	script, err := os.ReadFile("../../testdata/explore/two-gets.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"bin", "testdata/races", "reports"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "testdata/races/first.txtar"), script, 0o666); err != nil {
		t.Fatal(err)
	}
	own, err := os.Executable()
	if err == nil {
		err = os.Symlink(own, filepath.Join(dir, "bin", commandName))
	}
	if err != nil {
		t.Fatal(err)
	}
	run := func(command string, env ...string) (string, error) {
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir, cmd.Env = dir, append(env, "PATH="+filepath.Join(dir, "bin")+":/bin:/usr/bin")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for where, shards := range shardsOf(t) { // in any order: each is a test
		t.Run(where, func(t *testing.T) {
			for i, s := range shards {
				if out, err := run(s.command, s.env...); err != nil {
					t.Fatalf("shard %d: got %v: %s", i, err, out)
				}
			}
			explore, target, _ := strings.Cut(shards[0].command, " > ")
			one, err := run(strings.Replace(explore, " -json", "", 1))
			if err != nil {
				t.Fatalf("got %v: %s", err, one)
			}
			one = regexp.MustCompile(`, by estimate \d+ \(standard error \d+\)`).ReplaceAllString(one, "") // shards have none
			reports := filepath.Dir(target) + "/shard-"
			if merged, err := run("halfopen merge " + reports + "*.json"); err != nil || merged != one || len(shards) < 4 {
				t.Errorf("%d shards: got %v and\n%s\nwant\n%s", len(shards), err, merged, one)
			}
			for _, wrong := range []string{reports + "[123].json", reports + "*.json " + reports + "2.json"} {
				if out, err := run("halfopen merge " + wrong); err == nil || !strings.Contains(err.Error(), "exit status 2") || !strings.Contains(out, "shard") {
					t.Errorf("merge %s: got %v and %s", wrong, err, out)
				}
			}
		})
	}
}
