# Services: what is set of them is read from the registry, where Windows keeps it, and changed by the
# service manager's own calls: a password must not stand in a tool's arguments.

[void][Reflection.Assembly]::LoadWithPartialName('System.ServiceProcess')
[void][Reflection.Assembly]::LoadWithPartialName('System.ServiceProcess.ServiceController')

function service_calls {
    $type = IomsType 'IomsServices'
    $handle = [IntPtr]; $text = [string]; $word = [int]
    # With what Windows says of a failure kept: SetLastError.
    $import = [Runtime.InteropServices.DllImportAttribute]
    $fields = [Reflection.FieldInfo[]]@($import.GetField('SetLastError'), $import.GetField('CharSet'))
    $values = [object[]]@($true, [Runtime.InteropServices.CharSet]::Unicode)
    $imported = New-Object Reflection.Emit.CustomAttributeBuilder $import.GetConstructor([type[]]@($text)), ([object[]]@('advapi32.dll')), $fields, $values
    foreach ($call in @('OpenSCManagerW', $handle, @($text, $text, $word)), @('OpenServiceW', $handle, @($handle, $text, $word)),
            @('CreateServiceW', $handle, @($handle, $text, $text, $word, $word, $word, $word, $text, $text, $handle, [byte[]], $text, $text)),
            @('ChangeServiceConfigW', [bool], @($handle, $word, $word, $word, $text, $text, $handle, [byte[]], $text, $text, $text)),
            @('ChangeServiceConfig2W', [bool], @($handle, $word, [byte[]])), @('DeleteService', [bool], @($handle)),
            @('CloseServiceHandle', [bool], @($handle))) {
        $method = $type.DefineMethod($call[0], 'Public,Static,PinvokeImpl', $call[1], [type[]]$call[2])
        $method.SetCustomAttribute($imported)
        $method.SetImplementationFlags('PreserveSig')
    }
    $type.CreateType()
}

# A call of the service manager; $null among the arguments stays what it is. What fails is told.
function service_call($name, $arguments, $what) {
    if (-not $Ioms.Services) { $Ioms.Services = service_calls }
    $done = $Ioms.Services.GetMethod($name).Invoke($null, [object[]]$arguments)
    $number = [Runtime.InteropServices.Marshal]::GetLastWin32Error()
    if (($done -is [bool] -and -not $done) -or ($done -is [IntPtr] -and $done -eq [IntPtr]::Zero)) {
        fail "${what}: $((New-Object ComponentModel.Win32Exception $number).Message) ($number)"
    }
    $done
}

# Does something with a service in hands; all rights that changing it takes: to ask, change and delete it.
# (65555 is 0x10013, which PowerShell reads by big numbers, at a price.)
function service_with($name, $work) {
    $manager = service_call OpenSCManagerW @($null, $null, 1) 'Failed to open the service manager'
    try {
        $handle = service_call OpenServiceW @($manager, $name, 65555) "Failed to open service $name"
        try { & $work $handle } finally { [void](service_call CloseServiceHandle @(, $handle) 'close') }
    } finally { [void](service_call CloseServiceHandle @(, $manager) 'close') }
}

# The service by its name, or the name it is shown by.
function service_named($name) {
    $root = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SYSTEM\CurrentControlSet\Services')
    $key = $root.OpenSubKey($name)
    if ($null -ne $key) { return (leaf $key.Name) }
    foreach ($service in [ServiceProcess.ServiceController]::GetServices()) {
        if ($service.DisplayName -eq $name) { return $service.ServiceName }
    }
}

# All that is set of a service.
function service_settings($name) {
    $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey("SYSTEM\CurrentControlSet\Services\$name")
    if ($null -eq $key) { return $null }
    $type = [int]$key.GetValue('Type', 0)
    $start = [int]$key.GetValue('Start', 3)
    $mode = @{ 0 = 'boot'; 1 = 'system'; 2 = 'auto'; 3 = 'manual'; 4 = 'disabled' }[$start]
    if ($start -eq 2 -and $key.GetValue('DelayedAutostart', 0)) { $mode = 'delayed' }
    $shown = [string]$key.GetValue('DisplayName', $name)
    # (A text out of a library's resources is told by Windows only.)
    if ($shown.StartsWith('@')) { try { $shown = (service_of $name).DisplayName } catch { } }
    $settings = @{
        name = $name
        display_name = $shown
        description = [string]$key.GetValue('Description', '')
        path = [string]$key.GetValue('ImagePath', '', [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames)
        start_mode = $mode
        username = [string]$key.GetValue('ObjectName', 'LocalSystem')
        dependencies = @(foreach ($other in $key.GetValue('DependOnService')) { if ($other) { $other } }; foreach ($group in $key.GetValue('DependOnGroup')) { if ($group) { "+$group" } })
        desktop_interact = [bool]($type -band 256)
        service_type = @{ 1 = 'kernel_driver'; 2 = 'file_system_driver'; 16 = 'win32_own_process'; 32 = 'win32_share_process'; 80 = 'user_own_process'; 96 = 'user_share_process' }[$type -band 255]
        error_control = @{ 0 = 'ignore'; 1 = 'normal'; 2 = 'severe'; 3 = 'critical' }[[int]$key.GetValue('ErrorControl', 1)]
        load_order_group = [string]$key.GetValue('Group', '')
        failure_command = [string]$key.GetValue('FailureCommand', '')
        failure_reboot_msg = [string]$key.GetValue('RebootMessage', '')
        failure_actions_on_non_crash_failure = [bool]$key.GetValue('FailureActionsOnNonCrashFailures', 0)
        failure_reset_period_sec = [long]0
        failure_actions = @()
        was_delayed = $mode -eq 'delayed'
    }
    # SERVICE_FAILURE_ACTIONS as a 32-bit program has it: the period, two texts, the count, and where they are.
    $bytes = [byte[]]$key.GetValue('FailureActions')
    if ($null -ne $bytes -and $bytes.Length -ge 20) {
        $settings.failure_reset_period_sec = [long][BitConverter]::ToUInt32($bytes, 0)
        $count = [BitConverter]::ToInt32($bytes, 12)
        $settings.failure_actions = @(for ($at = 0; $at -lt $count -and 28 + 8 * $at -le $bytes.Length; $at++) {
                @{ type = @('none', 'restart', 'reboot', 'run_command')[[BitConverter]::ToInt32($bytes, 20 + 8 * $at)]
                    delay_ms = [long][BitConverter]::ToUInt32($bytes, 24 + 8 * $at) }
            })
    }
    $key.Close()
    $settings
}

function service_of($name) { New-Object ServiceProcess.ServiceController $name }

# Running, stopped, ...: in Ansible's words.
function service_state($service) {
    $service.Refresh()
    @{ Running = 'running'; Stopped = 'stopped'; Paused = 'paused'; StartPending = 'start_pending'; StopPending = 'stop_pending'
        PausePending = 'pause_pending'; ContinuePending = 'continue_pending' }[[string]$service.Status]
}

function service_wait($service, $state) {
    try { $service.WaitForStatus($state, [TimeSpan]::FromSeconds(120)) }
    catch { fail "Service '$($service.ServiceName)' is not $($state.ToLower()) after two minutes, it is $(service_state $service)" }
}

# A list of names with their ends, as the service manager reads it.
function service_list($names) {
    , [Text.Encoding]::Unicode.GetBytes([string]::Join("`0", [string[]]@($names)) + "`0`0")
}

# One pointer or two to texts within a structure: handed over as bytes and freed.
function service_text($handle, $level, $before, $texts, $after, $what) {
    $pointers = @()
    $bytes = New-Object Collections.ArrayList
    $bytes.AddRange([byte[]]$before)
    try {
        foreach ($text in $texts) {
            $pointer = [IntPtr]::Zero
            if ($null -ne $text) { $pointer = [Runtime.InteropServices.Marshal]::StringToHGlobalUni($text); $pointers += $pointer }
            if ([IntPtr]::Size -eq 8) { $bytes.AddRange([BitConverter]::GetBytes($pointer.ToInt64())) }
            else { $bytes.AddRange([BitConverter]::GetBytes($pointer.ToInt32())) }
        }
        $bytes.AddRange([byte[]]$after)
        [void](service_call ChangeServiceConfig2W @($handle, $level, [byte[]]$bytes.ToArray([byte])) $what)
    } finally { foreach ($pointer in $pointers) { [Runtime.InteropServices.Marshal]::FreeHGlobal($pointer) } }
}

# SERVICE_FAILURE_ACTIONS: what is $null in it stays as it was.
function service_failures($handle, $period, $message, $command, $actions) {
    $wide = [IntPtr]::Size -eq 8
    $before = [byte[]][BitConverter]::GetBytes([uint32]$period)
    if ($wide) { $before += [byte[]](0, 0, 0, 0) }
    $pointer = [Runtime.InteropServices.Marshal]::AllocHGlobal(8 * [Math]::Max(1, $actions.Length))
    try {
        for ($at = 0; $at -lt $actions.Length; $at++) {
            $kind = @{ none = 0; restart = 1; reboot = 2; run_command = 3 }[$actions[$at].type]
            [Runtime.InteropServices.Marshal]::WriteInt32($pointer, 8 * $at, $kind)
            $delay = [BitConverter]::ToInt32([BitConverter]::GetBytes([uint32]$actions[$at].delay_ms), 0)
            [Runtime.InteropServices.Marshal]::WriteInt32($pointer, 8 * $at + 4, $delay)
        }
        $after = [byte[]][BitConverter]::GetBytes([int]$actions.Length)
        if ($wide) { $after += [byte[]](0, 0, 0, 0); $after += [BitConverter]::GetBytes($pointer.ToInt64()) }
        else { $after += [BitConverter]::GetBytes($pointer.ToInt32()) }
        service_text $handle 2 $before @($message, $command) $after 'Failed to set the failure actions'
    } finally { [Runtime.InteropServices.Marshal]::FreeHGlobal($pointer) }
}

# Stops it, and what depends on it where that is allowed.
function service_stop($service, $force) {
    if ((service_state $service) -eq 'stopped') { return }
    $others = @($service.DependentServices | Where-Object { $_.Status -ne 'Stopped' })
    if ($others.Length -and -not $force) {
        $names = [string]::Join(', ', [string[]]@($others | ForEach-Object { $_.ServiceName }))
        fail "Cannot stop service '$($service.ServiceName)' because others depend on it ($names); force_dependent_services stops them too"
    }
    if (-not $check) {
        foreach ($other in $others) { $other.Stop(); service_wait $other Stopped }
        if ((service_state $service) -ne 'stop_pending') { $service.Stop() }
        service_wait $service Stopped
    }
}

function service_start($service) {
    if ($check) { return }
    if ((service_state $service) -eq 'paused') { $service.Continue() } elseif ((service_state $service) -ne 'start_pending') { $service.Start() }
    service_wait $service Running
}

# An account as the service manager writes it.
function service_account($name) {
    switch -regex ($name) {
        '^(NT AUTHORITY\\)?(SYSTEM|LocalSystem)$' { return 'LocalSystem' }
        '^(NT AUTHORITY\\)?Local ?Service$' { return 'NT AUTHORITY\LocalService' }
        '^(NT AUTHORITY\\)?Network ?Service$' { return 'NT AUTHORITY\NetworkService' }
        '[\\@]' { return $name }
    }
    ".\$name"
}
# The same account may be written in several ways.
function service_sid($name) {
    $name = $name -replace '^\.\\', ($env:COMPUTERNAME + '\')
    if ($name -eq 'LocalSystem') { return 'S-1-5-18' }
    if ($name -match '^NT AUTHORITY\\LocalService$') { return 'S-1-5-19' }
    if ($name -match '^NT AUTHORITY\\NetworkService$') { return 'S-1-5-20' }
    try { (New-Object Security.Principal.NTAccount $name).Translate([Security.Principal.SecurityIdentifier]).Value } catch { $name.ToLower() }
}

# Makes a service what it is wanted to be; $settings are all as they are to be then.
function service_change($handle, $name, $wanted, $settings) {
    $same = -1
    $type = $same; $start = $same; $errors = $same
    if ($wanted.ContainsKey('service_type') -or $wanted.ContainsKey('desktop_interact')) {
        $type = @{ win32_own_process = 16; win32_share_process = 32; user_own_process = 80; user_share_process = 96; kernel_driver = 1; file_system_driver = 2 }[$settings.service_type]
        if ($settings.desktop_interact) {
            if ((service_sid $settings.username) -ne 'S-1-5-18') { fail "Can only set 'desktop_interact' to true when 'username' equals 'SYSTEM'" }
            $type = $type -bor 256
        }
    }
    if ($wanted.ContainsKey('start_mode')) { $start = @{ auto = 2; delayed = 2; manual = 3; disabled = 4 }[$wanted.start_mode] }
    if ($wanted.ContainsKey('error_control')) { $errors = @{ ignore = 0; normal = 1; severe = 2; critical = 3 }[$wanted.error_control] }
    $names = $null
    if ($wanted.ContainsKey('dependencies')) { $names = service_list $wanted.dependencies }
    $password = $null
    if ($wanted.ContainsKey('password')) { $password = [string]$p.password }
    # (A service account has an empty one.)
    elseif ($wanted.ContainsKey('username') -and 'S-1-5-18', 'S-1-5-19', 'S-1-5-20' -contains (service_sid $wanted.username)) { $password = '' }
    $account = $wanted['username']
    if ($null -eq $account -and $null -ne $password) { $account = $settings.username }
    $parts = @($type, $start, $errors)
    if (@($parts | Where-Object { $_ -ne $same }).Length -or $null -ne $names -or $null -ne $account -or
        $wanted.ContainsKey('path') -or $wanted.ContainsKey('display_name') -or $wanted.ContainsKey('load_order_group')) {
        [void](service_call ChangeServiceConfigW @($handle, $type, $start, $errors, $wanted['path'], $wanted['load_order_group'], [IntPtr]::Zero, $names, $account, $password, $wanted['display_name']) "Failed to change service $name")
    }
    if ($wanted.ContainsKey('description')) { service_text $handle 1 @() @($wanted.description) @() 'Failed to set the description' }
    if ('auto', 'delayed' -contains $wanted['start_mode']) {
        $delayed = [BitConverter]::GetBytes([int]($wanted.start_mode -eq 'delayed'))
        # (A service that was never delayed need not be told so: old systems know no such thing.)
        if ($wanted.start_mode -eq 'delayed' -or $settings.was_delayed) { [void](service_call ChangeServiceConfig2W @($handle, 3, [byte[]]$delayed) 'Failed to set the delayed start') }
    }
    if ('failure_actions', 'failure_command', 'failure_reboot_msg', 'failure_reset_period_sec' | Where-Object { $wanted.ContainsKey($_) }) {
        service_failures $handle $settings.failure_reset_period_sec $settings.failure_reboot_msg $settings.failure_command @($settings.failure_actions)
    }
    if ($wanted.ContainsKey('failure_actions_on_non_crash_failure')) {
        $flag = [BitConverter]::GetBytes([int][bool]$wanted.failure_actions_on_non_crash_failure)
        [void](service_call ChangeServiceConfig2W @($handle, 4, [byte[]]$flag) 'Failed to set failure_actions_on_non_crash_failure')
    }
}
